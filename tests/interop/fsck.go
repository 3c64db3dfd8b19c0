package main

// What Tessera's fsck says of a log.

import (
	"context"
	"fmt"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

// A worker ends at the first tile that is wrong, and fsck waits for ever once none is left: have enough.
const workers = 64

func runFsck(args []string) (said string, err error) {
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return "", err
	}
	// It panics at a bundle with too few entries.
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("fsck panicked: %v", panicked)
		}
	}()
	log, err := source(args[0]).fetcher()
	if err != nil {
		return "", err
	}
	checked := fsck.New(verifier.Name(), verifier, log, leafHashes, fsck.Opts{N: workers})
	if err := checked.Check(context.Background()); err != nil {
		return "", err
	}
	status := checked.Status()
	return fmt.Sprintf("%d files, %d errors", status.ResourcesFetched, status.ErrorsEncountered), nil
}

func leafHashes(bundle []byte) ([][]byte, error) {
	var entries api.EntryBundle
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}
