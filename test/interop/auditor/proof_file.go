package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// A proofFile is a C2SP tlog-proof, taken apart.
type proofFile struct {
	extra      []byte
	index      int64
	hashes     tlog.RecordProof
	checkpoint string
}

// checkProofFile checks that the entry which the file carries is in the log of the first key.
func checkProofFile(path string, vkeys []string) (report string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	proof, err := parseProof(string(text))
	if err != nil {
		return "", err
	}
	tree, origin, err := openCheckpoint([]byte(proof.checkpoint), vkeys)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	leaf := tlog.RecordHash(proof.extra)
	if err := tlog.CheckRecord(proof.hashes, tree.N, tree.Hash, proof.index, leaf); err != nil {
		return "", fmt.Errorf("entry %d: %w", proof.index, err)
	}
	return fmt.Sprintf("%s: entry %d of %d, leaf %v", origin, proof.index, tree.N, leaf), nil
}

func parseProof(text string) (proof proofFile, err error) {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return proof, fmt.Errorf("not a tlog-proof with extra data")
	}
	proof.checkpoint = checkpoint
	if proof.extra, err = parseExtra(lines[1]); err != nil {
		return proof, err
	}
	if proof.index, err = parseIndex(lines[2]); err != nil {
		return proof, err
	}
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil || hash.String() != line {
			return proof, fmt.Errorf("%q is no base64 hash", line)
		}
		proof.hashes = append(proof.hashes, hash)
	}
	return proof, nil
}

func parseExtra(line string) ([]byte, error) {
	if !strings.HasPrefix(line, "extra ") {
		return nil, fmt.Errorf("%q is no extra line", line)
	}
	return base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(line, "extra "))
}

func parseIndex(line string) (int64, error) {
	index, err := strconv.ParseInt(strings.TrimPrefix(line, "index "), 10, 64)
	if err != nil || line != "index "+strconv.FormatInt(index, 10) {
		return 0, fmt.Errorf("%q is no index line", line)
	}
	return index, nil
}
