package apple

import "testing"

func TestRank(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{"apple: Ruth’s Apple Watch": 2, "Reloj de Ana": 2, "Galaxy Watch6": 2, "Ruth’s iPhone": 0, "Teléfono de Luis": 0, "Pedometer++": 1, "": 1} {
		if got := Rank(source); got != want {
			t.Errorf("%q: %d, want %d", source, got, want)
		}
	}
}
