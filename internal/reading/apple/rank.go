package apple

import "strings"

// Rank answers how much a source of steps is to be believed where several count the same ones, by the name that a file tells: a watch
// stays on the wrist, 2; a telephone lies on the table, 0; anything else, 1. Apple Health orders its sources likewise, unless the person
// changes it; the order is not in the export.
func Rank(source string) int {
	name := strings.ToLower(source)
	for rank, words := range [][]string{0: {"iphone", "phone", "teléfono", "telefono", "pixel", "galaxy s", "ipad"}, 2: {"watch", "reloj"}} {
		for _, w := range words {
			if strings.Contains(name, w) && (rank == 2 || !strings.Contains(name, "watch")) {
				return rank
			}
		}
	}
	return 1
}
