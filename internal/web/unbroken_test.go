package web

import "testing"

func TestUnbroken(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"<p>by 8:00 am, or 12:30 pm</p>":               "<p>by 8:00\u00a0am, or 12:30\u00a0pm</p>",
		`<input value="8:00 am"><b>8:00</b> am`:        `<input value="8:00 am"><b>8:00</b> am`,
		"<textarea>come at 8:00 am</textarea> 8:00 am": "<textarea>come at 8:00 am</textarea> 8:00\u00a0am",
		"8:00 america, 18:00 m, am, 8:00 am":           "8:00 america, 18:00 m, am, 8:00\u00a0am",
		"<p>a < b 9:15 pm":                             "<p>a < b 9:15 pm",
		"":                                             "",
		"<svg aria-label=\"8:00 am\"><text>8:00 pm EDT</text></svg>": "<svg aria-label=\"8:00 am\"><text>8:00\u00a0pm EDT</text></svg>",
	} {
		if got := unbroken(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
