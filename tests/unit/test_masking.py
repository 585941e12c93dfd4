"""Secrets in texts that people read: found by form and by name, whatever wraps them; what is no secret stays."""

import pytest

from harness.report.masking import masked, masked_all

SECRET = "s3cr3t-Val"

PLANTED = {
    "dsn": f"connecting to postgres://app:{SECRET}@127.0.0.1:5432/db",
    "dsn without a user": f"redis://:{SECRET}@cache:6379/0",
    "dsn with an at sign": f"postgres://app:{SECRET}@x@host/db",
    "dsn with a slash": f"postgres://app:a/{SECRET}@host/db",
    "token in a url": f"nats://{SECRET}@127.0.0.1:4222",
    "libpq": f"host=db user=app password={SECRET} dbname=x",
    "environment": f"PGPASSWORD={SECRET} psql",
    "quoted": f'password="{SECRET} with words {SECRET}" next',
    "json": f'{{"client_secret": "{SECRET}", "a": 1}}',
    "json in json": f'{{"message": "body {{\\"access_token\\": \\"{SECRET}\\"}}"}}',
    "python": f"{{'password': '{SECRET}', 'user': 'a'}}",
    "yaml": f"db_password: {SECRET}",
    "query string": f"GET /callback?code=1&access_token={SECRET}&x=1",
    "bearer header": f"authorization: Bearer {SECRET}",
    "bearer header as json": f'"Authorization": "Bearer {SECRET}"',
    "basic header": f"Proxy-Authorization: Basic {SECRET}==",
    "header pair": f"[(b'authorization', b'Bearer {SECRET}')]",
    "bearer alone": f"refused the token Bearer {SECRET}",
    "cookie": f"Cookie: theme=dark; session={SECRET}; other={SECRET}",
    "set-cookie": f"set-cookie: sid={SECRET}; Path=/; HttpOnly",
    "cookie as json": f'"cookie": "session={SECRET}; a=b"',
    "sql": f"ALTER ROLE app WITH PASSWORD '{SECRET}'",
    "option": f"tool --password {SECRET} --verbose",
    "api key": f"X-Api-Key: {SECRET}",
    "pair of a header": f"headers=[(b'x-internal-token', b'{SECRET}')]",
    "list of arguments": f"argv ['tool', '--password', '{SECRET}']",
    "quote within": f'login failed password="x\\"{SECRET}" next',
    "code of a login": f"GET /login/oauth2/code/keycloak?state=a1&code={SECRET}",
    "state of a login": f"GET /login/oauth2/code/keycloak?state={SECRET}&code=a1",
    "cookie without its header": f"new KEYCLOAK_SESSION={SECRET}; Path=/",
    "server's password": f"requirepass {SECRET}",
    "in words": f"internal token {SECRET} rejected",
    "asked for": f"password for account: {SECRET}",
    "key block": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
    "key block cut off": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}",
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_secret_is_masked(text: str) -> None:
    assert SECRET not in masked(text)
    assert "***" in masked(text)


@pytest.mark.parametrize(
    "token",
    [
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "ghp_0123456789abcdef0123456789abcdef0123",
        "AKIA0123456789ABCDEF",
    ],
)
def test_a_token_that_tells_what_it_is_is_masked_without_a_name(token: str) -> None:
    assert token not in masked(f"got {token} from it")


@pytest.mark.parametrize(
    "text",
    [
        "3 of 80 requests went out more than 50 ms late",
        "account.token_failures_ratio == 0, within 6 s",
        "login.invalid_token == 0",
        "http://127.0.0.1:8080/health answers 503",
        'connection to server at "127.0.0.1", port 22818 failed',
        "stack.services.common.loops: 3 sessions",
        "the basic login works",
        "password authentication failed for user account",
        "the token endpoint answers 503, the secret was rotated",
        "step 3 of 5, state=done",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


def test_a_text_under_a_telling_name_is_masked_in_json() -> None:
    found = masked_all(
        {
            "arguments": {"name": "front.db.password", "value": SECRET},
            "headers": {"Authorization": SECRET, "cookie": SECRET, "accept": "text/html"},
            "rows": [[f"token={SECRET}", None, 3]],
            "values": {"login.invalid_token": 3.0},
        }
    )
    assert SECRET not in repr(found)
    assert found["headers"]["accept"] == "text/html"
    assert found["rows"][0][1:] == [None, 3]
    assert found["values"] == {"login.invalid_token": 3.0}
