package main

// Entries, statements, and the bodies that carry keys: docs/spec.md, "Statements" to "Acts", and "Entries and the tree".

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"
)

const (
	entryMax           = 65_535
	statementMax       = 49_152
	statementMaxClass0 = 16_384
	signaturesMax      = 16_000
	rulesMax           = 12_288
	operator           = "operator"
)

type head struct {
	size uint64
	leaf digest
}

type signature struct {
	officer, algorithm byte
	bytes              []byte
}

type statement struct {
	log       digest
	author    string
	class     byte
	seq       uint64
	prev      digest
	seen      head
	issuedAt  uint64
	expiresAt uint64
	kind      uint16
	body      []byte
}

type entry struct {
	index       uint64
	link        digest
	roster      head
	sequencedAt uint64
	encoded     []byte
	statement   statement
	signatures  []signature
}

func (d *decoder) head() head { return head{d.u64(), d.digest()} }

func (d *decoder) signature() signature { return signature{d.u8(), d.u8(), d.bytes()} }

func decodeStatement(encoded []byte) (statement, error) {
	d := &decoder{rest: encoded}
	if len(encoded) > statementMax {
		d.fail("statement has %d bytes", len(encoded))
	}
	if version := d.u8(); version != 1 {
		d.fail("statement has version %d", version)
	}
	s := statement{
		log: d.digest(), author: d.handle(), class: byte(d.choice(5)), seq: d.u64(), prev: d.digest(),
		seen: d.head(), issuedAt: d.instant(), expiresAt: d.instant(), kind: d.u16(), body: d.bytes(),
	}
	if s.class == 0 && s.kind != 0 && len(encoded) > statementMaxClass0 {
		d.fail("statement of class 0 has %d bytes", len(encoded))
	}
	return s, d.end()
}

func decodeEntry(leaf []byte) (entry, error) {
	d := &decoder{rest: leaf}
	if len(leaf) > entryMax {
		d.fail("entry has %d bytes", len(leaf))
	}
	if version := d.u8(); version != 1 {
		d.fail("entry has version %d", version)
	}
	e := entry{index: d.u64(), link: d.digest(), roster: d.head(), sequencedAt: d.instant(), encoded: d.bytes()}
	if len(d.rest) > signaturesMax {
		d.fail("signatures have %d bytes", len(d.rest))
	}
	e.signatures = list(d, d.signature)
	if err := d.end(); err != nil {
		return e, err
	}
	var err error
	e.statement, err = decodeStatement(e.encoded)
	return e, err
}

// labelled hashes bytes under a label that ends in a newline.
func labelled(label string, data []byte) digest { return sha256.Sum256(append([]byte(label), data...)) }

func (e entry) id() digest { return labelled("servanda/statement/1\n", e.encoded) }

// holds checks a signature over the 47 bytes that are signed; Go does not mind an R that is the identity, the format does.
func (e entry) holds(s signature, key []byte) bool {
	identity := append([]byte{1}, make([]byte, 31)...)
	if bytes.HasPrefix(s.bytes, identity) {
		return false
	}
	id := e.id()
	message := append([]byte("servanda/sig/1\n"), id[:]...)
	return len(key) == ed25519.PublicKeySize && len(message) == 47 && ed25519.Verify(key, message, s.bytes)
}

type officer struct {
	algorithm byte
	key       []byte
	classes   byte
}

func (o officer) has(class byte) bool { return o.classes>>class&1 == 1 }

// A keySet remembers how it was encoded, for its digest.
type keySet struct {
	officers   []officer
	thresholds []byte
	encoded    []byte
}

func (d *decoder) keySet() keySet {
	before := d.rest
	var set keySet
	set.officers = list(d, func() officer {
		d.short()
		return officer{d.u8(), d.bytes(), d.bits(0b11111)}
	})
	set.thresholds = d.take(5)
	set.encoded = before[:len(before)-len(d.rest)]
	return set
}

// digest is that of a handle and its set: a handle's length is one byte.
func (k keySet) digest(handle string) digest {
	return labelled("servanda/keys/1\n", slices.Concat([]byte{byte(len(handle))}, []byte(handle), k.encoded))
}

func (k keySet) has(key []byte) bool {
	return slices.ContainsFunc(k.officers, func(o officer) bool { return bytes.Equal(o.key, key) })
}

// A founding is what the body of kind 0 says, as far as it matters here.
type founding struct {
	origin        string
	partners      map[string]digest
	witnesses     []string
	quorum        uint64
	longestExpiry duration
	text          digest
	keys          keySet
	vkey          string
}

func (d *decoder) annex() digest {
	if d.choice(2) == 0 {
		d.short()
		d.short()
		d.short()
		d.choice(4)
		d.u64()
	}
	return d.digest()
}

func (d *decoder) rules(f *founding) {
	before := len(d.rest)
	list(d, d.short)
	list(d, func() string {
		label, definition := d.short(), d.long()
		option(d, func() { d.u64(); d.long() })
		return label + definition
	})
	d.u64()
	d.bits(0b111)
	list(d, func() uint64 { return d.choice(5) })
	d.choice(2)
	option(d, func() { d.u64(); d.u64() })
	d.u64()
	d.bool()
	d.formed(decimalForm)
	d.duration()
	option(d, func() { f.witnesses, f.quorum = list(d, d.short), d.u64() })
	f.longestExpiry = d.duration()
	if before-len(d.rest) > rulesMax {
		d.fail("rules have %d bytes", before-len(d.rest))
	}
}

func decodeFounding(body []byte) (founding, error) {
	d := &decoder{rest: body}
	f := founding{origin: d.short(), partners: map[string]digest{}}
	d.short()
	d.short()
	d.u16()
	list(d, func() string {
		handle := d.handle()
		d.short()
		d.bits(0b111)
		f.partners[handle] = d.digest()
		return handle
	})
	list(d, d.annex)
	d.rules(&f)
	f.text, f.keys, f.vkey = d.digest(), d.keySet(), d.short()
	return f, d.end()
}

// decodeKeys reads the body of kind 1 or 2.
func decodeKeys(s statement) (keySet, error) {
	d := &decoder{rest: s.body}
	set := d.keySet()
	if s.kind == 1 {
		option(d, func() { d.long() })
		list(d, d.annex)
	}
	if err := d.end(); err != nil {
		return set, fmt.Errorf("body of kind %d: %w", s.kind, err)
	}
	return set, nil
}
