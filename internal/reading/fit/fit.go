// Package fit reads FIT files, the format of sports watches, bicycle computers, scales and cuffs: headers of 12, 14 and more
// bytes, definitions in both byte orders, compressed timestamps, developer fields (skipped), files chained in one, check values.
//
// Its promise: it reads forward in constant memory; everything before a fault is answered, then the fault with its offset; a
// field that says "invalid" is absent. Where the header's length of the data can be believed, reading goes on with the next file
// of the chain. Source: the layout and the numbers of messages and fields are facts of the published FIT protocol and profile; no
// text or table of the vendor's development kit is part of this package. The package is pure.
package fit

import (
	"encoding/binary"
	"errors"
	"io"

	"doorstep/internal/reading/sample"
)

// Epoch is the Unix time of FIT's second 0, 1989-12-31T00:00:00Z.
const Epoch = 631065600

// relative ends the seconds that count from when the device was switched on, not from the epoch.
const relative = 0x10000000

const fieldTime = 253 // the timestamp of every message

// Message is one data message. It is valid until the next one is read.
type Message struct {
	Offset int64  // of its first byte in the chain of files
	File   int    // of the chain, from 0
	Number uint16 // what message of the profile it is: 20 is a record
	// Seconds is its time since Epoch, from its timestamp or a compressed header; 0 when it has none.
	Seconds uint32

	def *definition
	raw []byte
}

// Reader reads messages one after the other.
type Reader struct {
	in     window
	offset int64
	err    error // for good

	file    int
	inside  bool   // a file's data
	endless bool   // the header told no length
	left    uint32 // bytes of data
	sum     crc
	defs    [16]*definition
	last    uint32 // the latest timestamp
	msg     Message
}

// NewReader reads a chain of FIT files.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: window{in: r}, file: -1}
}

// Next answers the next data message, io.EOF after the last. A *sample.Refusal says what is wrong where; another call goes on
// behind it if that can be, else it answers io.EOF. An error of the input comes as it is.
func (r *Reader) Next() (*Message, error) {
	for {
		if r.err != nil {
			return nil, r.err
		}
		if !r.inside {
			if err := r.header(); err != nil {
				return nil, r.end(err)
			}
			continue
		}
		if r.left == 0 {
			r.inside = false
			if err := r.check(); err != nil {
				return nil, r.end(err)
			}
			continue
		}
		m, err := r.record()
		if err != nil {
			return nil, r.broken(err)
		}
		if m != nil {
			return m, nil
		}
	}
}

// end keeps what is final: the input's errors, and its end.
func (r *Reader) end(err error) error {
	var refusal *sample.Refusal
	if !errors.As(err, &refusal) {
		r.err = err
	}
	return err
}

// broken leaves a file whose data cannot be followed any more, for the next one of the chain.
func (r *Reader) broken(err error) error {
	if r.end(err) == r.err {
		return err
	}
	r.inside = false
	if r.endless {
		r.err = io.EOF
		return err
	}
	for skip := int64(r.left) + 2; skip > 0 && r.err == nil; {
		b, cause := r.in.peek(int(min(skip, least)))
		r.take(len(b))
		if skip -= int64(len(b)); cause != nil {
			r.err = cause
		}
	}
	return err
}

// take goes on by n bytes that have been seen.
func (r *Reader) take(n int) {
	r.in.from += n
	r.offset += int64(n)
}

// header reads the head of a file; io.EOF at the end of the chain.
func (r *Reader) header() error {
	b, err := r.in.peek(14)
	if len(b) == 0 {
		return err // io.EOF, or the input's
	}
	if err != nil && err != io.EOF {
		return err
	}
	r.file++
	fail := func(format string, args ...any) error {
		r.err = io.EOF // nothing tells where another file would begin
		return sample.Refuse(r.offset, format, args...)
	}
	size := int(b[0])
	switch {
	case len(b) < 12:
		return fail("the file ends within the header")
	case string(b[8:12]) != ".FIT" && r.file > 0:
		return fail("what follows is not a FIT file")
	case string(b[8:12]) != ".FIT":
		return fail("it is not a FIT file")
	case size != 12 && size < 14:
		return fail("the header's size is %d, want 12, 14 or more", size)
	}
	if b, err = r.in.peek(size); err != nil {
		if err != io.EOF {
			return err
		}
		return fail("the file ends within the header")
	}
	var sum crc
	if size >= 14 {
		if want := binary.LittleEndian.Uint16(b[12:]); want != 0 && sum.of(b[:12]) != want {
			return fail("the header's check value is %04x, its bytes have %04x", want, sum.of(b[:12]))
		}
	}
	r.left = binary.LittleEndian.Uint32(b[4:])
	r.sum = crc(sum.of(b[:size]))
	r.take(size)
	r.inside, r.last, r.defs = true, 0, [16]*definition{}
	if r.endless = r.left == 0; r.endless { // the device lost power before it could close the file
		if _, err := r.in.peek(3); err != nil {
			r.endless = false // an empty file
			return nil
		}
		r.left = ^uint32(0)
	}
	return nil
}

// check compares the file's last two bytes with the sum of all before them.
func (r *Reader) check() error {
	b, err := r.in.peek(2)
	if err == io.EOF {
		r.err = io.EOF
		return sample.Refuse(r.offset, "the file ends before its check value")
	}
	if err != nil {
		return err
	}
	want, at := binary.LittleEndian.Uint16(b), r.offset
	r.take(2)
	if got := uint16(r.sum); got != want {
		return sample.Refuse(at, "the check value is %04x, the bytes have %04x", want, got)
	}
	return nil
}

// bytes answers the n bytes of the file's data that come next, valid until the next call; follow takes them.
func (r *Reader) bytes(n int) ([]byte, error) {
	if b := r.in.held(); len(b) >= n && uint32(n) <= r.left {
		return b[:n], nil
	}
	if uint32(n) > r.left {
		return nil, sample.Refuse(r.offset, "the message goes %d bytes beyond the file's data", uint32(n)-r.left)
	}
	b, err := r.in.peek(n)
	switch {
	case err == io.EOF && r.endless:
		r.err = io.EOF
		return nil, sample.Refuse(r.offset, "the header tells no length: the device did not close the file")
	case err == io.EOF:
		r.err = io.EOF
		return nil, sample.Refuse(r.offset, "the file ends %d bytes early", int64(r.left)-int64(len(b))+2)
	}
	return b, err
}

// follow takes what bytes answered.
func (r *Reader) follow(b []byte) {
	r.sum.add(b)
	r.take(len(b))
	r.left -= uint32(len(b))
}

// record reads one record; nil for a definition.
func (r *Reader) record() (*Message, error) {
	b, err := r.bytes(1)
	if err != nil {
		return nil, err
	}
	head := b[0]
	local, compressed := head&15, head&0x80 != 0
	if compressed {
		local = head >> 5 & 3
	} else if head&0x40 != 0 {
		return nil, r.define(local, head&0x20 != 0)
	}
	def := r.defs[local]
	if def == nil {
		return nil, sample.Refuse(r.offset, "a message of local type %d, which has not been defined", local)
	}
	if b, err = r.bytes(1 + def.size); err != nil {
		return nil, err
	}
	r.msg = Message{Offset: r.offset, File: r.file, Number: def.number, def: def, raw: b[1:]}
	r.follow(b)
	if compressed && r.last != 0 {
		r.last += (uint32(head) - r.last) & 31
		r.msg.Seconds = r.last
	}
	if def.clock != nil {
		if t, ok := r.msg.element(def.clock, 0); ok {
			r.last = uint32(t)
			r.msg.Seconds = r.last
		}
	}
	return &r.msg, nil
}
