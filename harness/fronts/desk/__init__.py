"""The operator's desk: the verbs and views of a person on call, for a stack that is up, a drill, and programs alike."""
