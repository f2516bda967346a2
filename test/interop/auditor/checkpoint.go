package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// readCheckpoint opens the checkpoint with the given keys, the first of which is the log's, and gives the tree it
// describes. Every signature on it must be by one of the keys.
func readCheckpoint(dir string, vkeys []string) (tree tlog.Tree, origin string, err error) {
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return tree, "", err
	}
	return openCheckpoint(msg, vkeys)
}

func openCheckpoint(msg []byte, vkeys []string) (tree tlog.Tree, origin string, err error) {
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return tree, "", fmt.Errorf("verifier key %q: %w", vkey, err)
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(msg, note.VerifierList(verifiers...))
	if err != nil {
		return tree, "", err
	}
	if err := checkSpelling(string(msg), opened); err != nil {
		return tree, "", err
	}
	origin = verifiers[0].Name()
	if opened.Sigs[0].Name != origin {
		return tree, "", fmt.Errorf("the first signature is by %q, not by the log", opened.Sigs[0].Name)
	}
	tree, err = parseTree(opened.Text, origin)
	return tree, origin, err
}

// checkSpelling refuses what note.Open lets pass: signatures by keys nobody gave us, repeated ones, and base64 whose
// unused bits are not zero. What is left has one spelling, so that no bit of the file is without a meaning.
func checkSpelling(msg string, opened *note.Note) error {
	if len(opened.UnverifiedSigs) > 0 {
		return fmt.Errorf("a signature by %q, whose key was not given", opened.UnverifiedSigs[0].Name)
	}
	spelled := opened.Text + "\n"
	for _, sig := range opened.Sigs {
		bytes, err := base64.StdEncoding.Strict().DecodeString(sig.Base64)
		if err != nil {
			return fmt.Errorf("the signature by %q is not canonical base64: %w", sig.Name, err)
		}
		spelled += "— " + sig.Name + " " + base64.StdEncoding.EncodeToString(bytes) + "\n"
	}
	if spelled != msg {
		return errors.New("not spelled as a signed note is")
	}
	return nil
}

// parseTree reads C2SP tlog-checkpoint without extension lines: tlog.ParseTree, but for the first line.
func parseTree(text, origin string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("has %d lines, not three", len(lines)-1)
	}
	if lines[0] != origin {
		return tlog.Tree{}, fmt.Errorf("is of the log %q, not %q", lines[0], origin)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("size %q is no decimal number", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return tlog.Tree{}, fmt.Errorf("root %q is no base64 hash", lines[2])
	}
	return tlog.Tree{N: size, Hash: root}, nil
}
