package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/tlog"
)

// A tileFolder serves tlog.TileHashReader, which authenticates every tile it reads against the checkpoint.
type tileFolder string

func (dir tileFolder) Height() int { return height }

func (dir tileFolder) SaveTiles([]tlog.Tile, [][]byte) {}

func (dir tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(string(dir), c2spPath(tile)))
		if err != nil {
			return nil, err
		}
		if len(bytes) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes for %d hashes", c2spPath(tile), len(bytes), tile.W)
		}
		data[i] = bytes
	}
	return data, nil
}

// checkProofs makes both kinds of proof at places that meet every shape a tile edge gives, and checks them.
func checkProofs(tree tlog.Tree, leaves []tlog.Hash, r tlog.HashReader) (count int, err error) {
	for _, index := range sample(tree.N) {
		if err := checkInclusion(tree, index, leaves[index], r); err != nil {
			return count, fmt.Errorf("inclusion of entry %d: %w", index, err)
		}
		if err := checkConsistency(tree, index+1, r); err != nil {
			return count, fmt.Errorf("consistency with size %d: %w", index+1, err)
		}
		count += 2
	}
	return count, nil
}

func checkInclusion(tree tlog.Tree, index int64, leaf tlog.Hash, r tlog.HashReader) error {
	proof, err := tlog.ProveRecord(tree.N, index, r)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
		return err
	}
	if tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.Hash{}) == nil {
		return fmt.Errorf("a false leaf passes too")
	}
	return nil
}

func checkConsistency(tree tlog.Tree, older int64, r tlog.HashReader) error {
	root, err := tlog.TreeHash(older, r)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, older, r)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, older, root); err != nil {
		return err
	}
	if tlog.CheckTree(proof, tree.N, tree.Hash, older, tlog.Hash{}) == nil {
		return fmt.Errorf("a false root passes too")
	}
	return nil
}

// sample picks the ends of the log, both sides of each power of two (tile edges among them), and a spread between.
func sample(size int64) []int64 {
	picked := map[int64]bool{}
	var indexes []int64
	pick := func(index int64) {
		if index >= 0 && index < size && !picked[index] {
			picked[index] = true
			indexes = append(indexes, index)
		}
	}
	pick(0)
	pick(size - 1)
	for power := int64(1); power <= size; power *= 2 {
		pick(power - 1)
		pick(power)
	}
	for i := int64(0); i < 32; i++ {
		pick(size * i / 32)
	}
	return indexes
}
