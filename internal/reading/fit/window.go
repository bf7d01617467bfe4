package fit

import "io"

// least is how many bytes a window holds at first; it grows to the longest message, at most 130 kB.
const least = 16 << 10

// window is what lies between the input and the messages: bytes read and not yet taken.
type window struct {
	in       io.Reader
	buf      []byte
	from, to int
	err      error // what the input ended with
}

// held answers the bytes that are there.
func (w *window) held() []byte { return w.buf[w.from:w.to] }

// peek answers the next n bytes without taking them; fewer with what the input ended with.
func (w *window) peek(n int) ([]byte, error) {
	for idle := 0; w.to-w.from < n && w.err == nil; {
		if w.from+n > len(w.buf) {
			room := w.buf
			if n > len(room) {
				room = make([]byte, max(least, n))
			}
			w.to = copy(room, w.held())
			w.buf, w.from = room, 0
		}
		var got int
		got, w.err = w.in.Read(w.buf[w.to:])
		if w.to += got; got > 0 {
			idle = 0
		} else if idle++; idle > 100 && w.err == nil {
			w.err = io.ErrNoProgress
		}
	}
	if b := w.held(); len(b) >= n {
		return b[:n], nil
	}
	return w.held(), w.err
}
