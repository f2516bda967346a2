package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// A merkleLog holds what was computed from the entries alone.
type merkleLog struct {
	leaves []tlog.Hash
	stored []tlog.Hash // by tlog.StoredHashIndex
}

func (l *merkleLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(l.stored)) {
			return nil, fmt.Errorf("hash %d is not stored", index)
		}
		hashes[i] = l.stored[index]
	}
	return hashes, nil
}

func readEntries(dir string, files []file, size int64) (*merkleLog, error) {
	log := &merkleLog{}
	for _, f := range files {
		if f.tile.L != -1 {
			continue
		}
		bundle, err := os.ReadFile(filepath.Join(dir, f.path))
		if err != nil {
			return nil, err
		}
		if err := log.addBundle(bundle, f.tile.W); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
	}
	if int64(len(log.leaves)) != size {
		return nil, fmt.Errorf("%d entries in the bundles, %d in the checkpoint", len(log.leaves), size)
	}
	return log, nil
}

func (l *merkleLog) addBundle(bundle []byte, count int) error {
	for i := 0; i < count; i++ {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return fmt.Errorf("ends in entry %d of %d", i, count)
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if err := l.add(bundle[2:end]); err != nil {
			return fmt.Errorf("entry %d: %w", len(l.leaves), err)
		}
		bundle = bundle[end:]
	}
	if len(bundle) > 0 {
		return fmt.Errorf("%d bytes after entry %d", len(bundle), count)
	}
	return nil
}

// add hashes an entry. Firebreak chains its entries too: each ends in the leaf hash of the one before, a CBOR byte
// string of 32 (zeros in the first).
func (l *merkleLog) add(entry []byte) error {
	var previous tlog.Hash
	if n := len(l.leaves); n > 0 {
		previous = l.leaves[n-1]
	}
	if !bytes.HasSuffix(entry, append([]byte{0x58, tlog.HashSize}, previous[:]...)) {
		return fmt.Errorf("does not name the leaf before it")
	}
	index := int64(len(l.leaves))
	hashes, err := tlog.StoredHashes(index, entry, l)
	if err != nil {
		return err
	}
	l.leaves = append(l.leaves, tlog.RecordHash(entry))
	l.stored = append(l.stored, hashes...)
	return nil
}

func (l *merkleLog) checkRoot(tree tlog.Tree) error {
	root, err := tlog.TreeHash(tree.N, l)
	if err != nil {
		return err
	}
	if tree.N == 0 { // RFC 6962 §2.1; this version of tlog has zeros there
		root = sha256.Sum256(nil)
	}
	if root != tree.Hash {
		return fmt.Errorf("the entries have the root %v, the checkpoint says %v", root, tree.Hash)
	}
	return nil
}

// checkTiles compares each tile of hashes with the one computed from the entries.
func (l *merkleLog) checkTiles(dir string, files []file) (count int, err error) {
	for _, f := range files {
		if f.tile.L == -1 {
			continue
		}
		found, err := os.ReadFile(filepath.Join(dir, f.path))
		if err != nil {
			return count, err
		}
		computed, err := tlog.ReadTileData(f.tile, l)
		if err != nil {
			return count, fmt.Errorf("%s: %w", f.path, err)
		}
		if !bytes.Equal(found, computed) {
			return count, fmt.Errorf("%s: not what its entries hash to", f.path)
		}
		count++
	}
	return count, nil
}
