"""`innkeeper step` at the other end of two pipes."""

import json
import subprocess


class Step:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = 0

    def feed(self, at, events):
        """Feeds events of one moment (milliseconds since 1970), all at once. Returns what innkeeper wants done, in order, with
        what it wanted at its own deadlines before."""
        if not events:
            events = ["deadline"]
        return [e for answer in self.talk([{"at": at, "event": e} for e in events]) for e in answer.get("effects", [])]

    def ask(self, at, question):
        return self.talk([{"at": at, "ask": question}])[-1]["told"]

    def talk(self, lines):
        self.lines += len(lines)
        self.process.stdin.write("".join(json.dumps(line) + "\n" for line in lines).encode())
        self.process.stdin.flush()
        answers = []
        while not answers or answers[-1].get("line") != self.lines:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"innkeeper step ended with {self.process.wait()}")
            answers.append(json.loads(line))
            if "rejected" in answers[-1]:
                raise SystemExit(f"innkeeper rejects line {answers[-1]['line']}: {answers[-1]['rejected']}")
        return answers

    def end(self):
        self.process.stdin.close()
        return self.process.wait()
