package main

import (
	"context"
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

// checkProof checks with torchwood that the entry which the file carries is in a log that the policy accepts.
func checkProof(policy torchwood.Policy, path string) (string, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	entry, err := torchwood.ProofExtraData(file)
	if err != nil {
		return "", err
	}
	leaf := tlog.RecordHash(entry)
	if err := torchwood.VerifyProof(policy, leaf, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("ok leaf %v\n", leaf), nil
}

// prove lets torchwood write a proof of an entry, which it reads and authenticates.
func (r *logReader) prove(ctx context.Context, index int64) (string, error) {
	c, err := torchwood.NewClient(r.tiles)
	if err != nil {
		return "", err
	}
	entry, hashes, err := c.Entry(ctx, r.checkpoint.Tree, index)
	if err != nil {
		return "", err
	}
	return string(torchwood.FormatProofWithExtraData(index, entry, hashes, r.signed)), nil
}
