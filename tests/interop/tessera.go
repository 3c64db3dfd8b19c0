package main

// What Tessera's client says of a log: every entry and what proves it, consistency with sizes before, as it fetches them.

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
)

// A reader is Tessera's client under one checkpoint.
type reader struct {
	log    fetcher
	size   uint64
	root   []byte
	prover *client.ProofBuilder
}

func newReader(ctx context.Context, at source, vkey string) (*reader, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	log, err := at.fetcher()
	if err != nil {
		return nil, err
	}
	checkpoint, _, _, err := client.FetchCheckpoint(ctx, log.ReadCheckpoint, verifier, verifier.Name())
	if err != nil {
		return nil, err
	}
	prover, err := client.NewProofBuilder(ctx, checkpoint.Size, log.ReadTile)
	return &reader{log, checkpoint.Size, checkpoint.Hash, prover}, err
}

// leaves gives the hashes of all entries, each proven to be in the tree.
func (r *reader) leaves(ctx context.Context) ([][]byte, error) {
	var all [][]byte
	for number := uint64(0); number*256 < r.size; number++ {
		bundle, err := client.GetEntryBundle(ctx, r.log.ReadEntryBundle, number, r.size)
		if err != nil {
			return nil, err
		}
		for _, entry := range bundle.Entries {
			index, leaf := uint64(len(all)), rfc6962.DefaultHasher.HashLeaf(entry)
			path, err := r.prover.InclusionProof(ctx, index)
			if err != nil {
				return nil, err
			}
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, r.size, leaf, path, r.root); err != nil {
				return nil, fmt.Errorf("entry %d: %w", index, err)
			}
			all = append(all, leaf)
		}
	}
	if uint64(len(all)) != r.size {
		return nil, fmt.Errorf("%d entries, the checkpoint says %d", len(all), r.size)
	}
	return all, nil
}

// consistent proves sizes before, whose roots come from the entries, to be of the same history.
func (r *reader) consistent(ctx context.Context, leaves [][]byte) (int, error) {
	places, proven := chosen(int64(r.size)), 0
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	grown := factory.NewEmptyRange(0)
	for index, leaf := range leaves {
		if err := grown.Append(leaf, nil); err != nil {
			return proven, err
		}
		if !slices.Contains(places, int64(index)) {
			continue
		}
		old, size := uint64(index)+1, r.size
		before, err := grown.GetRootHash(nil)
		if err != nil {
			return proven, err
		}
		path, err := r.prover.ConsistencyProof(ctx, old, size)
		if err != nil {
			return proven, err
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, old, size, path, before, r.root); err != nil {
			return proven, fmt.Errorf("size %d: %w", old, err)
		}
		proven++
	}
	whole, err := grown.GetRootHash(nil)
	if err == nil && !bytes.Equal(whole, r.root) {
		err = fmt.Errorf("the entries add up to another root")
	}
	return proven, err
}

func runClient(args []string) (string, error) {
	ctx := context.Background()
	r, err := newReader(ctx, source(args[0]), args[1])
	if err != nil {
		return "", err
	}
	leaves, err := r.leaves(ctx)
	if err != nil {
		return "", err
	}
	sizes, err := r.consistent(ctx, leaves)
	return fmt.Sprintf("size %d, every entry included, %d sizes consistent", r.size, sizes), err
}
