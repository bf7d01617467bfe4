package policy

import "testing"

// Booking beside others is paid for in waits and overtime, and people are seen sooner for it; without a share it costs nothing.
func TestPriceOf(t *testing.T) {
	t.Parallel()
	w := Clinic(1)
	w.Clinicians, w.Days, w.After = 1, 60, 60
	p, err := PriceOf(t.Context(), w, 0.5, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	if p.Sooner.Low <= 0 || p.Wait.Low <= 0 || p.Overtime.Low <= 0 || p.Beside.Value <= 0 || p.Beside.Value > 3 || p.Sooner.N != 4 {
		t.Errorf("%+v", p)
	}
	free, err := PriceOf(t.Context(), w, 0, 1, 4)
	if err != nil || free.Sooner.Value != 0 || free.Wait.Value != 0 || free.Overtime.Value != 0 || free.WaitNow != p.WaitNow {
		t.Errorf("%+v, %v", free, err)
	}
}
