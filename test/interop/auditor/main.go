// Command auditor checks an exported Firebreak log with software that is not Firebreak's: golang.org/x/mod's
// sumdb/note (signed notes) and sumdb/tlog (RFC 6962 trees).
//
//	auditor -vkey VKEY [-vkey VKEY …] DIR
//	auditor -vkey VKEY [-vkey VKEY …] -proof FILE
//
// DIR is a C2SP tlog-tiles folder as `firebreak ledger export` writes it:
//
//	checkpoint                  a signed note: origin, size, base64 root
//	tile/<L>/<N>[.p/<W>]        hashes, 32 bytes each
//	tile/entries/<N>[.p/<W>]    entries, each as length u16 || entry
//
// Nothing in the folder is taken on trust: every leaf is hashed again from its entry, every tile is computed again and
// compared byte for byte, and a file that has no place in a log of this size is an error. Proofs are then made from
// the tiles alone, as tlog's own client reads them, and checked against the checkpoint. Exit code 0 and a line "ok …",
// or 1 and what is wrong.
//
// FILE is a C2SP tlog-proof as `firebreak ledger prove` writes it, with the entry as its extra data.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

type keys []string

func (k *keys) String() string { return strings.Join(*k, " ") }

func (k *keys) Set(vkey string) error {
	*k = append(*k, vkey)
	return nil
}

func main() {
	var vkeys keys
	flag.Var(&vkeys, "vkey", "verifier key of the log, then of each witness")
	look := audit
	isProof := flag.Bool("proof", false, "check a tlog-proof file, not a folder")
	flag.Parse()
	if flag.NArg() != 1 || len(vkeys) == 0 {
		fmt.Fprintln(os.Stderr, "usage: auditor -vkey VKEY [-vkey VKEY …] [-proof] DIR|FILE")
		os.Exit(2)
	}
	if *isProof {
		look = checkProofFile
	}
	report, err := look(flag.Arg(0), vkeys)
	if err != nil {
		fmt.Fprintln(os.Stderr, "not ok:", err)
		os.Exit(1)
	}
	fmt.Println("ok", report)
}

func audit(dir string, vkeys []string) (report string, err error) {
	tree, origin, err := readCheckpoint(dir, vkeys)
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	files := expectedFiles(tree.N)
	if err := checkFolder(dir, files); err != nil {
		return "", err
	}
	log, err := readEntries(dir, files, tree.N)
	if err != nil {
		return "", err
	}
	if err := log.checkRoot(tree); err != nil {
		return "", err
	}
	tiles, err := log.checkTiles(dir, files)
	if err != nil {
		return "", err
	}
	proofs, err := checkProofs(tree, log.leaves, tlog.TileHashReader(tree, tileFolder(dir)))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %d entries, root %v, %d tiles, %d proofs", origin, tree.N, tree.Hash, tiles, proofs), nil
}
