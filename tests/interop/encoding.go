package main

// The encoding of docs/spec.md, "Encoding" and "Field types", read strictly.

import (
	"fmt"
	"regexp"
	"unicode/utf8"
)

const (
	shortMax   = 256
	longMax    = 32_768
	instantMax = 253_402_300_799_999
)

var (
	handleForm  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)
	decimalForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,26})(\.[0-9]{0,17}[1-9])?$`)
)

type digest [32]byte

// A decoder reads values one after the other; after the first error all that it reads is zero.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
	d.rest = nil
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail("%d bytes wanted, %d left", n, len(d.rest))
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) u8() byte {
	taken := d.take(1)
	if d.err != nil {
		return 0
	}
	return taken[0]
}

// u64 reads a varint: below 251 itself, else 2, 4 or 8 bytes that could not be fewer.
func (d *decoder) u64() uint64 {
	first := d.u8()
	if first < 251 {
		return uint64(first)
	}
	if first > 253 {
		d.fail("no varint starts with %d", first)
		return 0
	}
	length := uint64(2) << (first - 251)
	var value uint64
	for i, b := range d.take(length) {
		value |= uint64(b) << (8 * i)
	}
	least := map[byte]uint64{251: 251, 252: 1 << 16, 253: 1 << 32}[first]
	if d.err == nil && value < least {
		d.fail("varint of %d is over-long", value)
	}
	return value
}

func (d *decoder) upTo(most uint64, what string) uint64 {
	value := d.u64()
	if value > most {
		d.fail("%s %d is over %d", what, value, most)
	}
	return value
}

func (d *decoder) u16() uint16 { return uint16(d.upTo(0xffff, "u16")) }

func (d *decoder) instant() uint64 { return d.upTo(instantMax, "instant") }

func (d *decoder) digest() (value digest) {
	copy(value[:], d.take(32))
	return value
}

func (d *decoder) bytes() []byte { return d.take(d.u64()) }

func (d *decoder) text(most int) string {
	text := d.bytes()
	if len(text) > most || !utf8.Valid(text) {
		d.fail("text of %d bytes is too long, or not UTF-8", len(text))
		return ""
	}
	return string(text)
}

func (d *decoder) formed(form *regexp.Regexp) string {
	text := d.text(shortMax)
	if d.err == nil && !form.MatchString(text) {
		d.fail("%q does not fit %v", text, form)
	}
	return text
}

func (d *decoder) short() string  { return d.text(shortMax) }
func (d *decoder) long() string   { return d.text(longMax) }
func (d *decoder) handle() string { return d.formed(handleForm) }

func (d *decoder) choice(variants uint64) uint64 { return d.upTo(variants-1, "variant") }

func (d *decoder) bool() bool {
	value := d.u8()
	if value > 1 {
		d.fail("%d is no bool", value)
	}
	return value == 1
}

func (d *decoder) bits(all byte) byte {
	value := d.u8()
	if value&^all != 0 {
		d.fail("%08b has a bit that means nothing", value)
	}
	return value
}

type duration struct{ months, days, ms uint64 }

func (d *decoder) duration() duration {
	return duration{d.upTo(120_000, "months"), d.upTo(3_700_000, "days"), d.upTo(320_000_000_000_000, "milliseconds")}
}

// list reads as many elements as it says; none encodes to nothing.
func list[T any](d *decoder, element func() T) []T {
	count := d.u64()
	if count > uint64(len(d.rest)) {
		d.fail("%d elements in %d bytes", count, len(d.rest))
		return nil
	}
	var all []T
	for i := uint64(0); i < count && d.err == nil; i++ {
		all = append(all, element())
	}
	return all
}

// option reads a value if there is one.
func option(d *decoder, value func()) {
	if d.bool() {
		value()
	}
}

// end says whether all was read, and nothing more was there.
func (d *decoder) end() error {
	if d.err == nil && len(d.rest) > 0 {
		d.fail("%d bytes follow", len(d.rest))
	}
	return d.err
}
