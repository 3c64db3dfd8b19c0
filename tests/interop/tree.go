package main

// What golang.org/x/mod/sumdb says of a log: its note, its tree, its proofs.

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Tiles have 2^8 hashes.
const tileHeight = 8

// openCheckpoint opens a signed checkpoint with a key, and reads the tree that it speaks of.
func openCheckpoint(signed []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	// tlog.ParseTree wants the first line of Go's own database; the rest is the same.
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint is of %q, its key of %q", origin, verifier.Name())
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

func (s source) open(vkey string) (tlog.Tree, error) {
	signed, err := s.read("checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	return openCheckpoint(signed, vkey)
}

func openNote(args []string) (string, error) {
	tree, err := source(args[0]).open(args[1])
	return fmt.Sprintf("size %d, root %v", tree.N, tree.Hash), err
}

// path is a tile's path in c2sp.org/tlog-tiles: Go's own without the height, and with its own word for entries.
func path(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

// Height, ReadTiles and SaveTiles make a source a tlog.TileReader.
func (s source) Height() int { return tileHeight }

func (s source) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := s.read(path(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (s source) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads the entries of a log of a size from its bundles: each behind its length as uint16, big-endian.
func (s source) entries(size int64) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tlog.NewTiles(tileHeight, 0, size) {
		if tile.L != 0 {
			continue
		}
		tile.L = -1
		data, err := s.read(path(tile))
		if err != nil {
			return nil, err
		}
		for i := 0; i < tile.W; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s: entry %d is cut short", path(tile), i)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			all, data = append(all, data[2:end]), data[end:]
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("%s: %d bytes are left over", path(tile), len(data))
		}
	}
	return all, nil
}

// dense is a tree as Go stores it, built from the leaves by Go alone.
type dense []tlog.Hash

func (d dense) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, at := range indexes {
		if at >= int64(len(d)) {
			return nil, fmt.Errorf("no stored hash %d", at)
		}
		all = append(all, d[at])
	}
	return all, nil
}

func build(leaves [][]byte) (dense, error) {
	var built dense
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashes(int64(i), leaf, built)
		if err != nil {
			return nil, err
		}
		built = append(built, hashes...)
	}
	return built, nil
}

// derive builds the tree anew from the entries, and compares root and tiles with what is signed and stored.
func derive(s source, vkey string) (tlog.Tree, dense, [][]byte, int, error) {
	fail := func(err error) (tlog.Tree, dense, [][]byte, int, error) { return tlog.Tree{}, nil, nil, 0, err }
	tree, err := s.open(vkey)
	if err != nil {
		return fail(err)
	}
	leaves, err := s.entries(tree.N)
	if err != nil {
		return fail(err)
	}
	built, err := build(leaves)
	if err != nil {
		return fail(err)
	}
	root, err := tlog.TreeHash(tree.N, built)
	if err != nil {
		return fail(err)
	}
	if root != tree.Hash {
		return fail(fmt.Errorf("entries have root %v, the checkpoint %v", root, tree.Hash))
	}
	tiles := tlog.NewTiles(tileHeight, 0, tree.N)
	for _, tile := range tiles {
		stored, err := s.ReadTiles([]tlog.Tile{tile})
		if err != nil {
			return fail(err)
		}
		want, err := tlog.ReadTileData(tile, built)
		if err != nil {
			return fail(err)
		}
		if !bytes.Equal(stored[0], want) {
			return fail(fmt.Errorf("%s is not what the entries add up to", path(tile)))
		}
	}
	return tree, built, leaves, len(tiles), nil
}

// chosen are the ends of a tree, places around full tiles, and some between.
func chosen(size int64) []int64 {
	var all []int64
	for _, at := range []int64{0, 1, 2, 254, 255, 256, 257, 511, 512, 65534, 65535, 65536, size / 3, size / 2, size - 2, size - 1} {
		if at >= 0 && at < size {
			all = append(all, at)
		}
	}
	for at := int64(3); at < size; at += 1 + size/97 {
		all = append(all, at)
	}
	return all
}

// altered are proofs with something wrong.
func altered(proof []tlog.Hash) [][]tlog.Hash {
	all := [][]tlog.Hash{append(append([]tlog.Hash{}, proof...), tlog.Hash{1})}
	for at := range proof {
		flipped := append([]tlog.Hash{}, proof...)
		flipped[at][at%32] ^= 1
		all = append(all, flipped, append(append([]tlog.Hash{}, proof[:at]...), proof[at+1:]...))
	}
	return all
}

// inclusion checks a proof, and that nothing near it is a proof too.
func inclusion(proof []tlog.Hash, tree tlog.Tree, index int64, leaf tlog.Hash) error {
	what := fmt.Sprintf("inclusion of %d in %d", index, tree.N)
	return proves(what, proof, leaf, func(proof []tlog.Hash, leaf tlog.Hash) error {
		return tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf)
	})
}

func consistency(proof []tlog.Hash, tree tlog.Tree, old int64, root tlog.Hash) error {
	what := fmt.Sprintf("consistency of %d and %d", old, tree.N)
	return proves(what, proof, root, func(proof []tlog.Hash, root tlog.Hash) error {
		return tlog.CheckTree(proof, tree.N, tree.Hash, old, root)
	})
}

// proves checks a proof of a hash, and that neither altered proofs nor another hash pass.
func proves(what string, proof []tlog.Hash, hash tlog.Hash, check func([]tlog.Hash, tlog.Hash) error) error {
	if err := check(proof, hash); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, bad := range altered(proof) {
		if check(bad, hash) == nil {
			return fmt.Errorf("%s holds when altered", what)
		}
	}
	hash[5] ^= 1
	if check(proof, hash) == nil {
		return fmt.Errorf("%s holds of another hash", what)
	}
	return nil
}

func checkTree(args []string) (string, error) {
	s := source(args[0])
	tree, built, leaves, tiles, err := derive(s, args[1])
	if err != nil {
		return "", err
	}
	// From here on hashes come from the stored tiles alone, and what to compare them with from the entries.
	reader := tlog.TileHashReader(tree, s)
	places := chosen(tree.N)
	for _, index := range places {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return "", err
		}
		if err := inclusion(proof, tree, index, tlog.RecordHash(leaves[index])); err != nil {
			return "", err
		}
		tiled, err := tlog.ProveTree(tree.N, index+1, reader)
		if err != nil {
			return "", err
		}
		old, err := tlog.TreeHash(index+1, built)
		if err != nil {
			return "", err
		}
		if err := consistency(tiled, tree, index+1, old); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("size %d, %d tiles, %d inclusion and consistency proofs", tree.N, tiles, len(places)), nil
}

// checkProofs reads lines "inclusion INDEX HASH,HASH..." and "consistency SIZE HASH,HASH...", made by Servanda for the
// log's checkpoint, and checks them against leaf hashes and roots of its own.
func checkProofs(args []string) (string, error) {
	tree, built, leaves, _, err := derive(source(args[0]), args[1])
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(args[2])
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for _, line := range lines {
		fields := strings.Split(line, " ")
		if len(fields) != 3 {
			return "", fmt.Errorf("not a proof: %q", line)
		}
		at, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil || at < 0 || at > tree.N {
			return "", fmt.Errorf("not a place in the log: %q", line)
		}
		var hashes []tlog.Hash
		for _, text := range strings.FieldsFunc(fields[2], func(r rune) bool { return r == ',' }) {
			hash, err := tlog.ParseHash(text)
			if err != nil {
				return "", err
			}
			hashes = append(hashes, hash)
		}
		switch {
		case fields[0] == "inclusion" && at < tree.N:
			err = inclusion(hashes, tree, at, tlog.RecordHash(leaves[at]))
		case fields[0] == "consistency" && at > 0:
			var old tlog.Hash
			if old, err = tlog.TreeHash(at, built); err == nil {
				err = consistency(hashes, tree, at, old)
			}
		default:
			err = fmt.Errorf("not a proof: %q", line)
		}
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("size %d, %d proofs", tree.N, len(lines)), nil
}

// checkProofFile reads a file of c2sp.org/tlog-proof whose extra bytes are the entry, and checks all of it.
func checkProofFile(args []string) (string, error) {
	text, err := os.ReadFile(args[1])
	if err != nil {
		return "", err
	}
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return "", fmt.Errorf("not a proof file with extra bytes")
	}
	extra, isExtra := strings.CutPrefix(lines[1], "extra ")
	number, isIndex := strings.CutPrefix(lines[2], "index ")
	index, err := strconv.ParseInt(number, 10, 64)
	if !isExtra || !isIndex || err != nil || strconv.FormatInt(index, 10) != number {
		return "", fmt.Errorf("not a proof file with extra bytes and index")
	}
	leaf, err := base64.StdEncoding.Strict().DecodeString(extra)
	if err != nil {
		return "", err
	}
	var hashes []tlog.Hash
	for _, line := range lines[3:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(hash) != tlog.HashSize {
			return "", fmt.Errorf("not a hash: %q", line)
		}
		hashes = append(hashes, tlog.Hash(hash))
	}
	tree, err := openCheckpoint([]byte(checkpoint), args[0])
	if err != nil {
		return "", err
	}
	if err := inclusion(hashes, tree, index, tlog.RecordHash(leaf)); err != nil {
		return "", err
	}
	entry, err := decodeEntry(leaf)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("entry %d of %d is statement %x", index, tree.N, entry.id()), nil
}
