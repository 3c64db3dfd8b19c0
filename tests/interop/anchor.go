package main

// Anchors: docs/spec.md, "Anchors". Without motions, name, key and witnesses are those of the founding.

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// How far an anchor may be from its witnesses' time, in milliseconds.
const anchorSkew = 300_000

// A witness checks cosignatures, and keeps the time of the first.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time uint64
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	message := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", at)), text...)
	holds := at >= 1 && at < 1<<63 && ed25519.Verify(w.key, message, signature[8:])
	if holds && w.time == 0 {
		w.time = at
	}
	return holds
}

// newWitness takes a vkey of type 4.
func newWitness(text string) *witness {
	name, key := strings.SplitN(text, "+", 2)[0], vkey(text, 4, "")
	id := sha256.Sum256(slices.Concat([]byte(name), []byte{'\n', 4}, key))
	return &witness{name: name, hash: binary.BigEndian.Uint32(id[:]), key: key}
}

// anchor gives what is wrong with an anchor, or nothing.
func (j *judge) anchor(e entry) string {
	d := &decoder{rest: e.statement.body}
	bytes := d.bytes()
	if len(j.founding.witnesses) == 0 {
		return "anchor-unnamed"
	}
	text, _, divided := strings.Cut(string(bytes), "\n\n")
	lines := strings.Split(text, "\n")
	if !divided || len(lines) != 3 {
		return "anchor-note"
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	root, bad := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || bad != nil || len(root) != 32 || strconv.FormatUint(size, 10) != lines[1] {
		return "anchor-note"
	}
	if lines[0] != j.founding.origin {
		return "anchor-origin"
	}
	log, err := note.NewVerifier(j.founding.vkey)
	if err != nil {
		return "anchor-signed"
	}
	verifiers, named := []note.Verifier{log}, []*witness{}
	for _, text := range j.founding.witnesses {
		w := newWitness(text)
		named, verifiers = append(named, w), append(verifiers, w)
	}
	opened, err := note.Open(bytes, note.VerifierList(verifiers...))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified) || errors.As(err, &invalid) || err == nil && !allHold(string(bytes), verifiers):
		return "anchor-signed"
	case err != nil:
		return "anchor-note"
	}
	bySelf := func(s note.Signature) bool { return s.Name == log.Name() && s.Hash == log.KeyHash() }
	if !slices.ContainsFunc(opened.Sigs, bySelf) {
		return "anchor-signed"
	}
	var times []uint64
	for _, w := range named {
		if w.time > 0 {
			times = append(times, w.time)
		}
	}
	slices.Sort(times)
	if uint64(len(times)) < j.founding.quorum {
		return "anchor-quorum"
	}
	if size == 0 || size > uint64(len(j.leaves)) {
		return "anchor-size"
	}
	if digest(root) != treeRoot(j.leaves[:size]) {
		return "anchor-root"
	}
	at, median := int64(e.sequencedAt), int64(times[(len(times)-1)/2])*1000
	if max(at-median, median-at) > anchorSkew {
		return "anchor-time"
	}
	return ""
}

// allHold says whether each line by a known key holds: sumdb/note looks at the first by each.
func allHold(bytes string, verifiers []note.Verifier) bool {
	text, lines, _ := strings.Cut(bytes, "\n\n")
	for line := range strings.Lines(lines) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		signature, _ := base64.StdEncoding.DecodeString(words[2])
		hash := binary.BigEndian.Uint32(signature)
		for _, verifier := range verifiers {
			known := verifier.Name() == words[1] && verifier.KeyHash() == hash
			if known && !verifier.Verify([]byte(text+"\n"), signature[4:]) {
				return false
			}
		}
	}
	return true
}

// treeRoot is the root over some leaf hashes, as RFC 6962 defines it.
func treeRoot(leaves []digest) digest {
	if len(leaves) == 1 {
		return leaves[0]
	}
	half := 1
	for 2*half < len(leaves) {
		half *= 2
	}
	left, right := treeRoot(leaves[:half]), treeRoot(leaves[half:])
	return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
}
