package main

// Who may sign what, entry after entry: docs/spec.md, "Who must sign" and "What a bad entry does".
//
// Not judged, as `unjudged` lists: what the charter and key sets must be like, what bodies other than those with keys
// and anchors say, motions, and the count of statements of class 0.

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var unjudged = []string{
	"charter", "key-set", "flood", "level", "body", "other-class", "not-for-operator", "motion", "motion-lapsed",
	"motion-outdated", "no-motion", "suspended",
}

// Reasons that leave the statement in force.
var harmless = []string{
	"wrong-index", "wrong-link", "time-back", "expired-effective", "longest-expiry", "pointer-fault",
	"seen-range-noted", "seen-back-noted", "seen-other-noted",
	"anchor-unnamed", "anchor-note", "anchor-origin", "anchor-signed", "anchor-quorum", "anchor-size", "anchor-root",
	"anchor-time",
}

type chain struct {
	seq  uint64
	prev digest
	seen uint64
}

type place struct {
	author string
	class  byte
}

// A judge is what the entries so far add up to.
type judge struct {
	leaves     []digest
	log        digest
	founded    bool
	founding   founding
	sets       map[string]keySet
	chains     map[place]chain
	pointer    head
	raw        uint64
	effective  uint64
	rosterTime uint64
	registered map[string]bool
	operators  map[digest]bool // motions for a new operator
	signatures int
}

func newJudge() *judge {
	return &judge{
		sets: map[string]keySet{}, chains: map[place]chain{}, registered: map[string]bool{},
		operators: map[digest]bool{},
	}
}

// take judges an entry, and lets it count as far as it does.
func (j *judge) take(leaf []byte) []string {
	hash := digest(tlog.RecordHash(leaf))
	defer func() { j.leaves = append(j.leaves, hash) }()
	e, err := decodeEntry(leaf)
	if err != nil {
		return []string{"undecodable"}
	}
	var found []string
	tell := func(wrong bool, code string) {
		if wrong {
			found = append(found, code)
		}
	}
	tell(e.index != uint64(len(j.leaves)), "wrong-index")
	var link digest
	if len(j.leaves) > 0 {
		link = j.leaves[len(j.leaves)-1]
	}
	tell(e.link != link, "wrong-link")
	tell(e.sequencedAt < j.raw, "time-back")
	j.raw, j.effective = e.sequencedAt, max(j.effective, e.sequencedAt)
	if len(j.leaves) == 0 {
		code := j.found(e)
		tell(code != "", code)
	} else if !j.founded {
		found = append(found, "no-founding")
	} else {
		found = append(found, j.statement(e, len(found))...)
	}
	if authentic(found) {
		j.count(e, hash, slices.Contains(found, "longest-expiry"))
	}
	return found
}

func authentic(found []string) bool {
	return !slices.ContainsFunc(found, func(code string) bool { return !slices.Contains(harmless, code) })
}

// count advances the chain, the pointer, the keys in force.
func (j *judge) count(e entry, leaf digest, void bool) {
	s := e.statement
	j.signatures += len(e.signatures)
	at := place{s.author, s.class}
	next := chain{s.seq + 1, e.id(), s.seen.size}
	if s.class == 0 {
		if !j.seenFits(e) {
			next.seen = j.chains[at].seen
		}
		j.pointer = head{uint64(len(j.leaves)), leaf}
		j.rosterTime = max(j.rosterTime, e.sequencedAt)
		if (s.kind == 1 || s.kind == 2) && !void {
			set, _ := decodeKeys(s)
			j.put(s.author, set)
		}
		if s.kind == 3 && j.forOperator(s) {
			j.operators[e.id()] = true
		}
	}
	j.chains[at] = next
}

// forOperator says whether a statement proposes a new operator, or approves that: it does not expire.
func (j *judge) forOperator(s statement) bool {
	d := &decoder{rest: s.body}
	switch {
	case s.class == 0 && s.kind == 3:
		return d.choice(7) == 6
	case s.class == 0 && s.kind == 4:
		return j.operators[d.digest()]
	}
	return false
}

func (j *judge) put(author string, set keySet) {
	j.sets[author] = set
	for _, o := range set.officers {
		j.registered[string(o.key)] = true
	}
}

// found judges entry 0: the first reason that applies.
func (j *judge) found(e entry) string {
	s := e.statement
	zeros := s.log == digest{} && s.seq == 0 && s.prev == digest{} && s.seen == head{}
	if s.kind != 0 || s.class != 0 || s.author != operator || !zeros {
		return "no-founding"
	}
	if e.roster != (head{}) {
		return "roster-pointer"
	}
	if e.sequencedAt > s.expiresAt {
		return "expired"
	}
	f, err := decodeFounding(s.body)
	if err != nil {
		return "key-body"
	}
	keys := [][]byte{vkey(f.vkey, 1, f.origin)}
	for _, witness := range f.witnesses {
		keys = append(keys, vkey(witness, 4, ""))
	}
	registered := map[string]bool{}
	for _, key := range keys {
		if key == nil || registered[string(key)] {
			return "no-founding"
		}
		registered[string(key)] = true
	}
	if s.expiresAt > after(s.issuedAt, f.longestExpiry) {
		return "no-founding"
	}
	if slices.ContainsFunc(f.keys.officers, func(o officer) bool { return registered[string(o.key)] }) {
		return "key-registered"
	}
	if code := everyone(e, f.keys); code != "" {
		return code
	}
	j.founded, j.founding, j.log, j.registered = true, f, e.id(), registered
	j.put(operator, f.keys)
	return ""
}

// vkey is the key in a text of c2sp.org/signed-note of a type, and of a name if one is given; nil if it is none.
func vkey(text string, kind byte, name string) []byte {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || (name != "" && parts[0] != name) {
		return nil
	}
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != kind {
		return nil
	}
	// Of the types, sumdb/note knows 1 alone.
	if _, err := note.NewVerifier(text); kind == 1 && err != nil {
		return nil
	}
	return key[1:]
}

// after adds a duration: months to the date, clamped to its month; days; milliseconds; not past the last instant.
func after(ms uint64, by duration) uint64 {
	at := time.UnixMilli(int64(ms)).UTC()
	day := at.Day()
	first := at.AddDate(0, int(by.months), 1-day)
	last := first.AddDate(0, 1, -1).Day()
	at = first.AddDate(0, 0, min(day, last)-1+int(by.days))
	return min(uint64(at.UnixMilli())+by.ms, instantMax)
}

func (j *judge) known(author string) bool {
	_, partner := j.founding.partners[author]
	return partner || author == operator
}

// seen gives what is wrong with the head that an author had seen, or nothing.
func (j *judge) seen(e entry) string {
	seen, before := e.statement.seen, j.chains[place{e.statement.author, e.statement.class}]
	switch {
	case seen.size == 0 || seen.size > uint64(len(j.leaves)):
		return "seen-range"
	case seen.size < before.seen:
		return "seen-back"
	case seen.leaf != j.leaves[seen.size-1]:
		return "seen-other"
	}
	return ""
}

func (j *judge) seenFits(e entry) bool { return len(j.leaves) > 0 && j.seen(e) == "" }

// statement judges an entry after the first.
func (j *judge) statement(e entry, before int) (found []string) {
	s, class0 := e.statement, e.statement.class == 0
	tell := func(wrong bool, code string) {
		if wrong {
			found = append(found, code)
		}
	}
	at := e.sequencedAt
	if class0 {
		at = max(at, j.rosterTime)
	}
	tell(s.log != j.log, "other-log")
	tell(at > s.expiresAt && !j.forOperator(s), "expired")
	tell(!class0 && at <= s.expiresAt && j.effective > s.expiresAt, "expired-effective")
	if e.roster != j.pointer {
		found = append(found, map[bool]string{true: "roster-pointer", false: "pointer-fault"}[class0])
	}
	if !j.known(s.author) {
		return append(found, "unknown-author")
	}
	chain := j.chains[place{s.author, s.class}]
	tell(s.seq != chain.seq, "wrong-seq")
	tell(s.seq == chain.seq && s.prev != chain.prev, "wrong-prev")
	seen := j.seen(e)
	tell(seen != "" && !class0, seen)
	tell(class0 && s.kind == 0, "found-again")
	if !(class0 && s.kind == 0) {
		code := j.signed(e)
		tell(code != "", code)
	}
	tell(seen != "" && class0 && authentic(found), seen+"-noted")
	tell(s.expiresAt > after(s.issuedAt, j.founding.longestExpiry), "longest-expiry")
	if s.kind == 16 && s.class == 4 && authentic(found) {
		code := j.anchor(e)
		tell(code != "", code)
	}
	return found
}

// signed gives the first thing that is wrong with the signatures.
func (j *judge) signed(e entry) string {
	s := e.statement
	switch {
	case s.class == 0 && s.kind == 1:
		set, err := decodeKeys(s)
		if err != nil {
			return "key-body"
		}
		if announced, partner := j.founding.partners[s.author]; !partner || set.digest(s.author) != announced {
			return "not-announced"
		}
		if slices.ContainsFunc(set.officers, func(o officer) bool { return j.registered[string(o.key)] }) {
			return "key-registered"
		}
		return everyone(e, set)
	case s.class == 0 && s.kind == 2:
		return j.rotated(e)
	}
	set, acceded := j.sets[s.author]
	if !acceded {
		return "not-acceded"
	}
	return enough(e, e.signatures, set, s.class)
}

func (j *judge) rotated(e entry) string {
	set, err := decodeKeys(e.statement)
	if err != nil {
		return "key-body"
	}
	old, acceded := j.sets[e.statement.author]
	if !acceded {
		return "not-acceded"
	}
	split := slices.IndexFunc(e.signatures, func(s signature) bool { return s.officer >= 128 })
	if split < 0 {
		split = len(e.signatures)
	}
	if !ascending(e.signatures) {
		return "signature-order"
	}
	if code := enough(e, e.signatures[:split], old, 0); code != "" {
		return code
	}
	var fresh []byte
	for at, o := range set.officers {
		for _, kept := range old.officers {
			if bytes.Equal(kept.key, o.key) && kept.algorithm != o.algorithm {
				return "kept-algorithm"
			}
		}
		if !old.has(o.key) {
			if j.registered[string(o.key)] {
				return "key-registered"
			}
			fresh = append(fresh, byte(128+at))
		}
	}
	var signed []byte
	for _, s := range e.signatures[split:] {
		signed = append(signed, s.officer)
	}
	if !bytes.Equal(fresh, signed) {
		return "new-keys-signed"
	}
	for _, s := range e.signatures[split:] {
		o := set.officers[s.officer-128]
		if s.algorithm != o.algorithm {
			return "algorithm"
		}
		if !e.holds(s, o.key) {
			return "bad-signature"
		}
	}
	return ""
}

func ascending(signatures []signature) bool {
	for at := 1; at < len(signatures); at++ {
		if signatures[at].officer <= signatures[at-1].officer {
			return false
		}
	}
	return true
}

// ordered gives the first reason that needs no key.
func ordered(signatures []signature, set keySet) string {
	if len(signatures) == 0 {
		return "no-signatures"
	}
	if !ascending(signatures) {
		return "signature-order"
	}
	for _, s := range signatures {
		if int(s.officer) >= len(set.officers) {
			return "unknown-officer"
		}
		if s.algorithm != set.officers[s.officer].algorithm {
			return "algorithm"
		}
	}
	return ""
}

func hold(e entry, signatures []signature, set keySet) string {
	for _, s := range signatures {
		if !e.holds(s, set.officers[s.officer].key) {
			return "bad-signature"
		}
	}
	return ""
}

// everyone must have signed: all officers of a set.
func everyone(e entry, set keySet) string {
	if code := ordered(e.signatures, set); code != "" {
		return code
	}
	if len(e.signatures) != len(set.officers) {
		return "not-all-signed"
	}
	return hold(e, e.signatures, set)
}

// enough must have signed: as many holders of a class as its threshold says.
func enough(e entry, signatures []signature, set keySet, class byte) string {
	if code := ordered(signatures, set); code != "" {
		return code
	}
	for _, s := range signatures {
		if !set.officers[s.officer].has(class) {
			return "wrong-class"
		}
	}
	threshold := int(set.thresholds[class])
	if threshold == 0 || len(signatures) < threshold {
		return "below-threshold"
	}
	return hold(e, signatures, set)
}

func checkStatements(args []string) (string, error) {
	s := source(args[0])
	tree, _, leaves, _, err := derive(s, args[1])
	if err != nil {
		return "", err
	}
	j := newJudge()
	for index, leaf := range leaves {
		if found := j.take(leaf); len(found) > 0 {
			return "", fmt.Errorf("entry %d: %s", index, strings.Join(found, ", "))
		}
	}
	if id := hex.EncodeToString(j.log[:]); id != args[2] {
		return "", fmt.Errorf("this is log %s", id)
	}
	if j.founding.vkey != args[1] {
		return "", fmt.Errorf("founded with the vkey %s", j.founding.vkey)
	}
	charter, err := s.read("charter.toml")
	if err != nil {
		return "", err
	}
	if labelled("", charter) != j.founding.text {
		return "", fmt.Errorf("charter.toml is not the text that statement 0 names")
	}
	return fmt.Sprintf("%d statements by %d authors, %d signatures", tree.N, len(j.sets), j.signatures), nil
}

// checkVectors judges the log of docs/vectors.json, and each list of bad entries after its beginning.
func checkVectors(args []string) (string, error) {
	text, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	var vectors struct {
		Log struct {
			ID      string
			Entries []struct{ ID, Entry, Leaf string }
		}
		Wrong []struct {
			Name     string
			After    int
			Entries  []string
			Findings []struct {
				Index        int
				Code, Effect string
			}
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		return "", err
	}
	var good [][]byte
	log := newJudge()
	for at, vector := range vectors.Log.Entries {
		leaf, err := hex.DecodeString(vector.Entry)
		if err != nil {
			return "", err
		}
		if found := log.take(leaf); len(found) > 0 {
			return "", fmt.Errorf("log, entry %d: %v", at, found)
		}
		e, _ := decodeEntry(leaf)
		id, hash := e.id(), tlog.RecordHash(leaf)
		if hex.EncodeToString(id[:]) != vector.ID || hex.EncodeToString(hash[:]) != vector.Leaf {
			return "", fmt.Errorf("log, entry %d: another id or leaf hash", at)
		}
		good = append(good, leaf)
	}
	judged, codes := 0, map[string]bool{}
	for _, vector := range vectors.Wrong {
		// What follows from a carried motion is for who counts approvals.
		if strings.HasPrefix(strings.TrimPrefix(vector.Name, "not wrong: "), "carried") {
			continue
		}
		j := newJudge()
		for _, leaf := range good[:vector.After] {
			j.take(leaf)
		}
	entries:
		for at, encoded := range vector.Entries {
			leaf, err := hex.DecodeString(encoded)
			if err != nil {
				return "", err
			}
			found := j.take(leaf)
			bad := false
			for _, want := range vector.Findings {
				if want.Index != vector.After+at {
					continue
				}
				if slices.Contains(unjudged, want.Code) {
					if want.Effect == "unauthentic" {
						break entries
					}
					continue
				}
				bad = bad || want.Effect == "unauthentic"
				code := want.Code
				if want.Effect == "seen" {
					code += "-noted"
				}
				if code == "roster-pointer" && want.Effect == "operators-fault" {
					code = "pointer-fault"
				}
				if !slices.Contains(found, code) {
					return "", fmt.Errorf("wrong, %q, entry %d: found %v, want %s", vector.Name, want.Index, found, code)
				}
				judged, codes[code] = judged+1, true
			}
			if bad == authentic(found) {
				return "", fmt.Errorf("wrong, %q, entry %d: found %v", vector.Name, vector.After+at, found)
			}
		}
	}
	return fmt.Sprintf("%d entries, %d defects of %d kinds", len(good), judged, len(codes)), nil
}
