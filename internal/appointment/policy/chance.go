package policy

import "math"

// u answers a number from 0 to 1 that belongs to a person, to how often she has asked, and to a question: the same under every policy.
func (s *sim) u(who uint64, attempt int, question byte) float64 {
	x := s.seed*0x9e3779b97f4a7c15 ^ who*0xbf58476d1ce4e5b9 ^ uint64(attempt+1)*0x94d049bb133111eb ^ uint64(question)<<56
	for range 2 { // the finalizer of splitmix64 (Steele, Lea and Flood 2014)
		x ^= x >> 30
		x *= 0xbf58476d1ce4e5b9
		x ^= x >> 27
		x *= 0x94d049bb133111eb
		x ^= x >> 31
	}
	return (float64(x>>11) + 0.5) / (1 << 53)
}

func (s *sim) exp(who uint64, attempt int, question byte) float64 {
	return -math.Log(s.u(who, attempt, question))
}

// normal answers a number of the standard normal distribution (Box and Muller 1958).
func (s *sim) normal(who uint64, attempt int, question byte) float64 {
	return math.Sqrt(-2*math.Log(s.u(who, attempt, question))) * math.Cos(2*math.Pi*s.u(who, attempt, question+128))
}

// delay answers how many minutes a person takes to answer.
func (s *sim) delay(who, about int, question byte) int {
	return 1 + int(s.ReplyMedian*math.Exp(s.ReplySpread*s.normal(uint64(who), about, question)))
}

// takes answers how many minutes a visit takes.
func (s *sim) takes(who, attempt int) float64 {
	v := math.Log1p(s.VisitCV * s.VisitCV)
	return s.VisitMean * math.Exp(-v/2+math.Sqrt(v)*s.normal(uint64(who), attempt, 'k'))
}
