package journey

import (
	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/transport/road"
)

// Service owns the tables of needs, ways, plans, trips and the burden ledger.
type Service struct {
	db       *store.DB
	clock    clock.Clock
	ids      *clock.IDs
	people   *person.Service
	promises *promise.Service
	messages *message.Service
	visits   Visits

	roads     road.Source
	sources   []Source
	followers []Follower
	stays     Stays
}

// New answers the service. Ways are estimated as the crow flies until SetRoads.
func New(db *store.DB, c clock.Clock, ids *clock.IDs, people *person.Service, promises *promise.Service, messages *message.Service, visits Visits) *Service {
	s := &Service{db: db, clock: c, ids: ids, people: people, promises: promises, messages: messages, visits: visits, roads: road.Crow{}}
	s.followers = []Follower{rideByHand{s}, alongside{s}}
	return s
}

// SetRoads says who answers how long ways are; call it before the first plan.
func (s *Service) SetRoads(r road.Source) { s.roads = r }

// AddSource lets a room ask for needs; call it before the first plan.
func (s *Service) AddSource(src Source) { s.sources = append(s.sources, src) }

// AddFollower lets something go along with trips; one of the same name takes the place of the one that was there. Call it before the first plan.
func (s *Service) AddFollower(f Follower) {
	for i, old := range s.followers {
		if old.Name() == f.Name() {
			s.followers[i] = f
			return
		}
	}
	s.followers = append(s.followers, f)
}
