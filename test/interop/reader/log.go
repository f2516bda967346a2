package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"filippo.io/torchwood"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A logReader reads one log by torchwood and by Tessera, who each fetch for themselves.
type logReader struct {
	policy     torchwood.Policy
	tiles      torchwood.TileReader
	files      fsck.Fetcher
	note       *note.Note
	signed     []byte
	checkpoint torchwood.Checkpoint
}

// openLog reads the checkpoint, which must satisfy the policy.
func openLog(ctx context.Context, where string, policy torchwood.Policy) (*logReader, error) {
	r := &logReader{policy: policy}
	var err error
	if r.tiles, r.files, err = fetchersOf(where); err != nil {
		return nil, err
	}
	if r.signed, err = r.tiles.ReadEndpoint(ctx, "checkpoint"); err != nil {
		return nil, err
	}
	if r.checkpoint, r.note, err = torchwood.VerifyCheckpoint(r.signed, policy); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return r, nil
}

func fetchersOf(where string) (torchwood.TileReader, fsck.Fetcher, error) {
	if !strings.HasPrefix(where, "http://") {
		tiles, err := torchwood.NewTileFS(os.DirFS(where))
		return tiles, client.FileFetcher{Root: where}, err
	}
	tiles, err := torchwood.NewTileFetcher(where, torchwood.WithConcurrencyLimit(8))
	if err != nil {
		return nil, nil, err
	}
	root, err := url.Parse(where)
	if err != nil {
		return nil, nil, err
	}
	files, err := client.NewHTTPFetcher(root, nil)
	return tiles, files, err
}

// entries reads all of them with torchwood's client, which authenticates each, and gives their leaf hashes.
func (r *logReader) entries(ctx context.Context) ([]tlog.Hash, error) {
	c, err := torchwood.NewClient(r.tiles)
	if err != nil {
		return nil, err
	}
	var leaves []tlog.Hash
	for index, entry := range c.AllEntries(ctx, r.checkpoint.Tree, 0) {
		if index != int64(len(leaves)) {
			return nil, fmt.Errorf("entry %d came after %d entries", index, len(leaves))
		}
		leaves = append(leaves, tlog.RecordHash(entry))
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if int64(len(leaves)) != r.checkpoint.N {
		return nil, fmt.Errorf("%d entries came, the checkpoint is of %d", len(leaves), r.checkpoint.N)
	}
	return leaves, nil
}

// signers gives the names of all whose signatures were verified.
func (r *logReader) signers() string {
	var names []string
	for _, signature := range r.note.Sigs {
		names = append(names, signature.Name)
	}
	return strings.Join(names, " ")
}

// logVerifier is the one that verified the log's own signature.
func (r *logReader) logVerifier() (note.Verifier, error) {
	for _, signature := range r.note.Sigs {
		if signature.Name == r.checkpoint.Origin {
			return r.policy.Verifier(signature.Name, signature.Hash)
		}
	}
	return nil, fmt.Errorf("no signature by %q", r.checkpoint.Origin)
}
