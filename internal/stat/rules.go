package stat

// Trends answers at each value 1 when it is the last of seven that rise strictly, -1 when they fall, else 0.
func Trends(values []float64) []int {
	out := make([]int, len(values))
	way, steps := 0, 0 // of the steps up to here that go one way
	for i := 1; i < len(values); i++ {
		if s := sign(values[i] - values[i-1]); s == way && s != 0 {
			steps++
		} else {
			way, steps = s, 1
		}
		if way != 0 && steps >= run-1 {
			out[i] = way
		}
	}
	return out
}

// Runs answers 1 at each value that is the last of seven on one side of the mean, else 0. side is 1 above, -1 below, 0 on it:
// that breaks a run.
func Runs(side []int) []int {
	out := make([]int, len(side))
	n := 0
	for i, s := range side {
		if i > 0 && s == side[i-1] {
			n++
		} else {
			n = 1
		}
		if s != 0 && n >= run {
			out[i] = 1
		}
	}
	return out
}

// TwoInThree answers which values are part of three in a row on one side of the mean, of which two or three are near a limit.
func TwoInThree(near []bool, side []int) []bool {
	out := make([]bool, len(near))
	for i := 0; i+2 < len(near); i++ {
		n := 0
		for _, is := range near[i : i+3] {
			if is {
				n++
			}
		}
		if n >= 2 && side[i] != 0 && side[i] == side[i+1] && side[i] == side[i+2] {
			out[i], out[i+1], out[i+2] = true, true, true
		}
	}
	return out
}

// partOf marks all seven values of each trend or run whose last one is marked.
func partOf(last []int) []bool {
	out := make([]bool, len(last))
	for i, mark := range last {
		if mark == 0 {
			continue
		}
		for k := max(0, i-run+1); k <= i; k++ {
			out[k] = true
		}
	}
	return out
}
