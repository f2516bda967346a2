// Command reader reads a Firebreak log as any C2SP log, with libraries that are not Firebreak's: filippo.io/torchwood
// (checkpoints, cosignatures, policies, tiles over HTTP, tlog-proof), github.com/transparency-dev/tessera (fsck, proofs out
// of tiles) and github.com/transparency-dev/merkle (checking these).
//
//	reader -policy FILE LOG                     reads all of it
//	reader -policy FILE -older CHECKPOINT LOG   and that it continues what was saved before
//	reader -policy FILE -proof FILE             a C2SP tlog-proof that carries the entry as its extra data
//	reader -policy FILE -prove INDEX LOG        writes such a proof
//
// LOG is the URL of a log or the folder of an export; FILE a C2SP tlog-policy that names the log and who must cosign it.
// Exit code 0 and a line "ok …", or the proof; else 1 and what is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"filippo.io/torchwood"
)

const patience = 60 * time.Second

type task struct {
	policy, older, proof string
	prove                int64
	log                  string
}

func (t task) run(ctx context.Context) (answer string, err error) {
	text, err := os.ReadFile(t.policy)
	if err != nil {
		return "", err
	}
	policy, err := torchwood.ParsePolicy(text)
	if err != nil {
		return "", err
	}
	if t.proof != "" {
		return checkProof(policy, t.proof)
	}
	reader, err := openLog(ctx, t.log, policy)
	if err != nil {
		return "", err
	}
	if t.prove >= 0 {
		return reader.prove(ctx, t.prove)
	}
	if t.older == "" {
		return reader.audit(ctx, nil)
	}
	older, err := os.ReadFile(t.older)
	if err != nil {
		return "", err
	}
	return reader.audit(ctx, older)
}

func parseTask() (t task, err error) {
	flag.StringVar(&t.policy, "policy", "", "file with the policy")
	flag.StringVar(&t.older, "older", "", "file with a checkpoint that was saved before")
	flag.StringVar(&t.proof, "proof", "", "file with a proof to check")
	flag.Int64Var(&t.prove, "prove", -1, "index of an entry to prove")
	flag.Parse()
	t.log = flag.Arg(0)
	if t.policy == "" || (t.proof == "") != (flag.NArg() == 1) {
		return t, errors.New("usage: reader -policy FILE [-older FILE | -prove INDEX] URL|FOLDER, or -policy FILE -proof FILE")
	}
	return t, nil
}

func main() {
	t, err := parseTask()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := t.run(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "not ok:", err)
		os.Exit(1)
	}
	fmt.Print(answer)
}
