package slot

import "math/bits"

// Bit i of a set of cells is bit i%64 of word i/64.

// setBits sets the bits from a up to b.
func setBits(w []uint64, a, b int) {
	over(w, a, b, func(i int, mask uint64) { w[i] |= mask })
}

// clearBits clears the bits from a up to b.
func clearBits(w []uint64, a, b int) {
	over(w, a, b, func(i int, mask uint64) { w[i] &^= mask })
}

// copyBits copies the bits from a up to b.
func copyBits(to, from []uint64, a, b int) {
	over(to, a, b, func(i int, mask uint64) { to[i] = to[i]&^mask | from[i]&mask })
}

// over calls do for each word that has bits from a up to b, which are cut to w, with a mask of them.
func over(w []uint64, a, b int, do func(i int, mask uint64)) {
	a, b = max(a, 0), min(b, len(w)*64)
	for a < b {
		i := a / 64
		mask := ^uint64(0) << (a % 64)
		if end := (i + 1) * 64; b < end {
			mask &= ^uint64(0) >> (end - b)
		}
		do(i, mask)
		a = (i + 1) * 64
	}
}

// allSet reports whether the bits from a up to b, which lie in w, are all set.
func allSet(w []uint64, a, b int) bool {
	all := true
	over(w, a, b, func(i int, mask uint64) { all = all && w[i]&mask == mask })
	return all
}

// next answers the first set bit at or after a; len(w)*64 if there is none.
func next(w []uint64, a int) int {
	if a >= len(w)*64 {
		return len(w) * 64
	}
	i := a / 64
	if x := w[i] >> (a % 64); x != 0 {
		return a + bits.TrailingZeros64(x)
	}
	for i++; i < len(w); i++ {
		if w[i] != 0 {
			return i*64 + bits.TrailingZeros64(w[i])
		}
	}
	return len(w) * 64
}

// erode leaves set only the bits that begin a run of n set bits, n at least 1: and with itself shifted by 1, 2, 4, …
func erode(w []uint64, n int) {
	for have := 1; have < n; {
		by := min(have, n-have)
		andShifted(w, by)
		have += by
	}
}

// andShifted ands each bit with the one that stands by places after it; those beyond the end are not set.
func andShifted(w []uint64, by int) {
	whole, part := by/64, uint(by%64)
	if whole >= len(w) {
		clear(w)
		return
	}
	last := len(w) - whole - 1 // the last word that has a word whole places after it
	if part == 0 {
		for i := 0; i <= last; i++ {
			w[i] &= w[i+whole]
		}
	} else {
		for i := 0; i < last; i++ {
			w[i] &= w[i+whole]>>(part&63) | w[i+whole+1]<<((64-part)&63)
		}
		w[last] &= w[len(w)-1] >> (part & 63)
	}
	clear(w[last+1:])
}

func and(to, from []uint64) {
	for i, x := range from[:len(to)] {
		to[i] &= x
	}
}

func or(to, from []uint64) {
	for i, x := range from[:len(to)] {
		to[i] |= x
	}
}
