package routing

// settings are the numbers of the search; the standard ones were found on the training halves of the benchmarks.
type settings struct {
	cycles    float64 // how often the search heats up again, each time half as hot
	hot, cold float64 // temperatures at the start and at the end, as parts of what a request costs on average
	size      float64 // about how many stops a ruin removes
	// Shares of the kinds of ruin, one on top of the other: strings, related requests, any requests; the rest, whole routes.
	strings, related, any float64
	most                  float64 // related requests removed at most, by size
	regret                float64 // share of rebuilds by regret
	fleet                 float64 // part of the time in which vehicles are given up
}

func standard() settings {
	return settings{cycles: 2, hot: 0.5, cold: 0.01, size: 10, strings: 0.8, related: 0.9, any: 0.96, most: 3, regret: 0.15, fleet: 0.4}
}
