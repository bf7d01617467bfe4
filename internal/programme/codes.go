package programme

// Codes of remote monitoring in the United States, calendar year 2026 (Physician Fee Schedule).
const (
	SetUp     = "99453" // setting a device up and teaching its use, once, from 2 days of readings on
	FewDays   = "99445" // 2 to 15 days with readings in 30
	ManyDays  = "99454" // 16 to 30 days
	TenFirst  = "99470" // the first 10 minutes of a calendar month, with a live contact
	Twenty    = "99457" // the first 20 minutes
	TwentyAdd = "99458" // each further full 20 minutes
)

// Device answers the code that days with automatic readings in a period of 30 days come to; empty when there are too few.
func Device(days int) string {
	switch {
	case days >= 16:
		return ManyDays
	case days >= 2:
		return FewDays
	}
	return ""
}

// Management answers the codes that the minutes of a calendar month come to. Without a live contact (voice or video, both ways) there
// are none.
func Management(minutes int, live bool) []string {
	codes := []string{}
	switch {
	case !live || minutes < 10:
		return codes
	case minutes < 20:
		return append(codes, TenFirst)
	}
	codes = append(codes, Twenty)
	for left := minutes - 20; left >= 20; left -= 20 {
		codes = append(codes, TwentyAdd)
	}
	return codes
}
