package app_test

import (
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/journey"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// What a care pathway asks for is a need of the person's weeks; what is done there is done on the pathway, and a pathway that ends takes its needs back.
func TestPathwayNeedsArePlanned(t *testing.T) {
	apptest.Each(t, func(h *apptest.House) {
		dana := person.Viewer{Org: apptest.Org, Person: h.Dana.ID, Role: person.Nurse, Name: h.Dana.Name}
		e, err := h.Pathways.Enrol(h.Context(), dana, h.Ruth.ID, "https://doorstep.health/fhir/PlanDefinition/heart-failure-after-discharge", h.Clock.Now(), time.Time{})
		if err != nil {
			h.Fatal(err)
		}
		needs := func() map[string]journey.Need {
			if err := h.Journeys.Plan(h.Context(), apptest.Org, h.Ruth.ID); err != nil {
				h.Fatal(err)
			}
			out := map[string]journey.Need{}
			h.Read(func(tx *store.Tx) error {
				list, err := h.Journeys.Needs(tx, apptest.Org, h.Ruth.ID)
				for _, n := range list {
					if n.Source == "pathway" {
						out[n.Words] = n
					}
				}
				return err
			})
			return out
		}
		got := needs()
		for words, kind := range map[string]string{"Blood test: kidneys and salts": "blood", "Ultrasound of the heart": "imaging", "Call from the nurse": "talk", "Meals with little salt": "groceries", "A scale and a blood pressure cuff": "equipment"} {
			if got[words].Kind != kind {
				h.Errorf("%q is a need of kind %q, want %q", words, got[words].Kind, kind)
			}
		}
		if len(got) != 8 || !got["Call from the nurse"].Clinical || got["Ultrasound of the heart"].Clinical {
			h.Errorf("%d needs: %+v", len(got), got)
		}
		blood := got["Blood test: kidneys and salts"]
		h.Write(func(tx *store.Tx) error {
			return h.Pathways.Arrange(tx, apptest.Org, h.Ruth.ID, string(blood.ID), "home_draw", time.Time{}, true)
		})
		h.Read(func(tx *store.Tx) error {
			a, err := h.Pathways.Find(tx, apptest.Org, h.Ruth.ID, string(blood.ID))
			if a.State != pathway.Done {
				h.Errorf("%+v", a)
			}
			return err
		})
		if _, still := needs()["Blood test: kidneys and salts"]; still {
			h.Error("what is done is still asked for")
		}
		if err := h.Pathways.End(h.Context(), dana, h.Ruth.ID, e.ID); err != nil {
			h.Fatal(err)
		}
		if got := needs(); len(got) > 0 {
			h.Errorf("after its end: %+v", got)
		}
	})
}
