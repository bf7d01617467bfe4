package watch

import (
	"strings"

	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// Cause is a way in which many people's alerts come of one thing. It is data: the first that fits an alert names the group that the
// alert belongs to.
type Cause struct {
	Name string
	Kind string   // of alert: limit or silence; empty: any
	Late bool     // only what was measured more than an hour before it came
	By   []string // what must be the same, too: rule (the set that it belongs to), series, device (its kind)
}

// Causes are those that we know. A stream that comes back after a network was down raises everybody's past at once; a dead hub or
// network falls silent for everybody; a bad batch of a device puts one signal of one kind of device beyond one limit.
var Causes = []Cause{
	{Name: "back", Late: true, By: []string{"device"}},
	{Name: "silent", Kind: "silence"},
	{Name: "rule", By: []string{"series", "device", "rule"}},
}

// fits tells whether an alert is of a cause.
func (c Cause) fits(a reading.Alert) bool {
	return (c.Kind == "" || c.Kind == a.Kind) && (!c.Late || a.Late)
}

// cause answers the group of an alert: the name of its cause and what must be the same, space-separated.
func (s *Service) cause(tx *store.Tx, a reading.Alert) (string, error) {
	for _, c := range Causes {
		if !c.fits(a) {
			continue
		}
		key := []string{c.Name}
		for _, by := range c.By {
			value := ""
			switch by {
			case "rule":
				value = a.Name
			case "series":
				value = a.Series
			case "device":
				kind, err := s.readings.KindOf(tx, a.Org, a.Device)
				if err != nil {
					return "", err
				}
				value = kind
			}
			if value = strings.Join(strings.Fields(value), "_"); value == "" {
				value = "-"
			}
			key = append(key, value)
		}
		return strings.Join(key, " "), nil
	}
	return "", nil
}
