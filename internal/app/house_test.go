package app_test

import (
	"testing"

	"doorstep/internal/app/apptest"
)

const (
	org        = apptest.Org
	ruthPhone  = apptest.RuthPhone
	elenaPhone = apptest.ElenaPhone
	danaPhone  = apptest.DanaPhone
	omarPhone  = apptest.OmarPhone
)

var start = apptest.Start

// house is a house with what the tests of this room ask of it.
type house struct{ *apptest.House }

func each(t *testing.T, fn func(h *house)) {
	apptest.Each(t, func(h *apptest.House) { fn(&house{h}) })
}
