package policy

import (
	"reflect"
	"testing"
)

// The same seed gives the same lives; planned as a whole nothing due is missed, and nothing is done that the other policy does not do.
func TestPolicies(t *testing.T) {
	t.Parallel()
	w := Usual()
	w.People = 12
	a, err := w.Journey(3)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.Journey(3)
	if err != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("the same seed gave %+v and %+v, %v", a, b, err)
	}
	n := w.Nearest(3)
	if a.Missed != 0 || n.Missed != 0 || a.Due != n.Due || a.Due == 0 {
		t.Errorf("due %d and %d, missed %d and %d", a.Due, n.Due, a.Missed, n.Missed)
	}
	if a.Contact >= n.Contact || a.Hours >= n.Hours || a.Trips >= n.Trips {
		t.Errorf("planned %+v, nearest %+v", a, n)
	}
}

// Where nothing can come home the trips are still bundled; where nurses have no time nobody is promised one.
func TestNothingComesHome(t *testing.T) {
	t.Parallel()
	w := Usual()
	w.People, w.Nurses, w.Video, w.Phone, w.Remote, w.Delivers, w.Shop = 8, 0, 0, 0, 0, 0, 0
	a, err := w.Journey(1)
	if err != nil {
		t.Fatal(err)
	}
	n := w.Nearest(1)
	if a.Missed != 0 || a.Trips >= n.Trips || a.Contact > n.Contact {
		t.Errorf("planned %+v, nearest %+v", a, n)
	}
}
