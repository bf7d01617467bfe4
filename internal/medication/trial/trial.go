// Package trial allots people to the two arms of a comparison and says what came of it. It is pure.
//
// Its promise: the arm of the nth person follows from the seed and n alone, so that anybody who knows the seed can replay the whole
// allotment; and nobody who does not know it can foretell the next arm, for blocks are of random length.
package trial

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"doorstep/internal/stat"
)

// Arms of a comparison.
const (
	A = 0
	B = 1
)

// sizes of blocks: each has as many of one arm as of the other. Of several sizes, so that the last of a block cannot be guessed (ICH E9
// 1998, section 2.3.2).
var sizes = [...]int{2, 4, 6}

// Arm answers the arm of the nth person (from 0) of a comparison.
func Arm(seed string, n int) int {
	first := 0
	for block := 0; ; block++ {
		d := dice{seed: []byte(seed), block: uint64(block)}
		list := make([]int, sizes[d.below(len(sizes))])
		if n >= first+len(list) {
			first += len(list)
			continue
		}
		for i := range list {
			list[i] = i % 2
		}
		for i := len(list) - 1; i > 0; i-- { // Fisher and Yates
			k := d.below(i + 1)
			list[i], list[k] = list[k], list[i]
		}
		return list[n-first]
	}
}

// dice are numbers that follow from the seed: HMAC-SHA256 of the block and the throw.
type dice struct {
	seed         []byte
	block, throw uint64
}

// below answers a number from 0 to n-1, each as likely.
func (d *dice) below(n int) int {
	limit := math.MaxUint64 - math.MaxUint64%uint64(n)
	for {
		mac := hmac.New(sha256.New, d.seed)
		mac.Write(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, d.block), d.throw))
		d.throw++
		if v := binary.BigEndian.Uint64(mac.Sum(nil)); v < limit {
			return int(v % uint64(n))
		}
	}
}

// Person is how one person of a comparison did.
type Person struct {
	Arm    int
	Doses  int     // due while she was in it
	OnTime float64 // share of them done on time; NaN without any
}

// Group is an arm.
type Group struct {
	People int     // allotted
	N      int     // of them, with a dose due: those who are counted
	Doses  int     // of those
	OnTime float64 // mean of their shares; NaN without anybody
}

// Outcome is what came of a comparison: arm A less arm B.
type Outcome struct {
	Arms [2]Group
	stat.Welch
}

// Compare takes each person's share of doses on time as one value, since the doses of one person are not independent of each other
// (Matthews JNS, Altman DG, Campbell MJ, Royston P 1990, Analysis of serial measurements in medical research, BMJ 300:230), and
// compares the means of the arms by Welch's interval. Everybody stays in the arm that she was allotted to.
func Compare(people []Person) Outcome {
	var o Outcome
	var shares [2][]float64
	for _, p := range people {
		g := &o.Arms[p.Arm]
		g.People++
		if p.Doses == 0 || math.IsNaN(p.OnTime) {
			continue
		}
		g.N++
		g.Doses += p.Doses
		shares[p.Arm] = append(shares[p.Arm], p.OnTime)
	}
	for i := range o.Arms {
		o.Arms[i].OnTime = stat.Mean(shares[i])
	}
	o.Welch = stat.NewWelch(shares[A], shares[B])
	return o
}
