package main

import (
	"context"
	"fmt"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/tlog"
)

// audit reads every entry by torchwood, lets Tessera's fsck compute every tile again, and checks proofs of both kinds. The
// older checkpoint, if any, must satisfy the policy too.
func (r *logReader) audit(ctx context.Context, older []byte) (string, error) {
	leaves, err := r.entries(ctx)
	if err != nil {
		return "", fmt.Errorf("torchwood: %w", err)
	}
	if err := r.fsck(ctx); err != nil {
		return "", fmt.Errorf("tessera: %w", err)
	}
	proofs, err := r.checkProofs(ctx, leaves)
	if err != nil {
		return "", err
	}
	continues := ""
	if older != nil {
		c, _, err := torchwood.VerifyCheckpoint(older, r.policy)
		if err != nil {
			return "", fmt.Errorf("older checkpoint: %w", err)
		}
		if err := r.checkConsistency(ctx, c.N, c.Hash); err != nil {
			return "", fmt.Errorf("does not continue the %d entries of before: %w", c.N, err)
		}
		continues = fmt.Sprintf(", continues %d", c.N)
	}
	return fmt.Sprintf("ok %s: %d entries, root %v, signed by %s, %d proofs%s\n",
		r.checkpoint.Origin, r.checkpoint.N, r.checkpoint.Hash, r.signers(), proofs, continues), nil
}

func (r *logReader) fsck(ctx context.Context) error {
	verifier, err := r.logVerifier()
	if err != nil {
		return err
	}
	hashes := func(bundle []byte) (leaves [][]byte, err error) {
		var entries api.EntryBundle
		if err := entries.UnmarshalText(bundle); err != nil {
			return nil, err
		}
		for _, entry := range entries.Entries {
			leaves = append(leaves, rfc6962.DefaultHasher.HashLeaf(entry))
		}
		return leaves, nil
	}
	return fsck.New(r.checkpoint.Origin, verifier, r.files, hashes, fsck.Opts{N: 2}).Check(ctx)
}

// checkProofs makes proofs out of Tessera's tiles and has transparency-dev/merkle check them.
func (r *logReader) checkProofs(ctx context.Context, leaves []tlog.Hash) (count int, err error) {
	builder, err := client.NewProofBuilder(ctx, uint64(r.checkpoint.N), r.files.ReadTile)
	if err != nil {
		return 0, err
	}
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for index, leaf := range leaves {
		if err := tree.Append(leaf[:], nil); err != nil {
			return count, err
		}
		if !isSampled(int64(index), r.checkpoint.N) {
			continue
		}
		hashes, err := builder.InclusionProof(ctx, uint64(index))
		if err != nil {
			return count, err
		}
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(r.checkpoint.N), leaf[:], hashes, r.checkpoint.Hash[:]); err != nil {
			return count, fmt.Errorf("inclusion of entry %d: %w", index, err)
		}
		root, err := tree.GetRootHash(nil)
		if err != nil {
			return count, err
		}
		if err := r.checkConsistency(ctx, int64(index)+1, tlog.Hash(root)); err != nil {
			return count, fmt.Errorf("consistency with size %d: %w", index+1, err)
		}
		count += 2
	}
	return count, nil
}

func (r *logReader) checkConsistency(ctx context.Context, older int64, root tlog.Hash) error {
	builder, err := client.NewProofBuilder(ctx, uint64(r.checkpoint.N), r.files.ReadTile)
	if err != nil {
		return err
	}
	hashes, err := builder.ConsistencyProof(ctx, uint64(older), uint64(r.checkpoint.N))
	if err != nil {
		return err
	}
	return proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(older), uint64(r.checkpoint.N), hashes, root[:], r.checkpoint.Hash[:])
}

// isSampled picks the ends of the log, both sides of each power of two (tile edges among them), and a few between.
func isSampled(index, size int64) bool {
	return index == size-1 || index%97 == 0 || index&(index-1) == 0 || index&(index+1) == 0
}
