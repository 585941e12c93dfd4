"""What people do meanwhile: seeded streams of requests from outside."""
