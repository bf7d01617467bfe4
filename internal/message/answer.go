package message

import (
	"strings"
	"unicode"
)

// Word is what a text means whoever sent it.
type Word int

const (
	Free    Word = iota // a person has to read it
	Choice              // a numbered answer, perhaps with a question's code
	Yes                 // yes, without a code
	No                  // no, without a code
	Stop                // STOP
	Start               // START
	HelpMe              // HELP
	Arrived             // HERE
)

// Reply is a text as understood.
type Reply struct {
	Word   Word
	Code   string // letter of the question, upper case; empty when the person gave none
	Number int    // 1 to 9, for Choice
}

var plainWords = map[string]Word{
	"STOP": Stop, "STOPALL": Stop, "UNSUBSCRIBE": Stop, "CANCEL": Stop, "END": Stop, "QUIT": Stop, "ALTO": Stop, "PARAR": Stop, "BASTA": Stop, "BAJA": Stop,
	"START": Start, "UNSTOP": Start, "EMPEZAR": Start, "INICIAR": Start, "COMENZAR": Start, "ALTA": Start,
	"HELP": HelpMe, "INFO": HelpMe, "AYUDA": HelpMe,
	"YES": Yes, "Y": Yes, "SI": Yes, "TAKEN": Yes, "TOOK": Yes, "DONE": Yes, "OK": Yes, "TOOK THEM": Yes, "I TOOK THEM": Yes, "YES I TOOK THEM": Yes,
	"HECHO": Yes, "LISTO": Yes, "LISTA": Yes, "TOMADO": Yes, "LAS TOME": Yes, "YA": Yes, "TOMADAS": Yes,
	"HERE": Arrived, "IM HERE": Arrived, "I AM HERE": Arrived, "ARRIVED": Arrived, "AQUI": Arrived, "ESTOY AQUI": Arrived, "LLEGUE": Arrived, "YA LLEGUE": Arrived, "YA ESTOY AQUI": Arrived,
	"NO": No, "NOT TODAY": No, "SKIP": No, "HOY NO": No, "NOPE": No,
}

// ParseReply reads a text: "A1", "a 1", "1", "1.", "YES", "Sí", "alto". Anything that is not plainly one of these is Free, so
// that a person reads it rather than a guess being made. It never fails.
func ParseReply(body string) Reply {
	words := foldWords(body)
	if words == "" {
		return Reply{}
	}
	if w, ok := plainWords[words]; ok {
		return Reply{Word: w}
	}
	compact := strings.ReplaceAll(words, " ", "")
	switch len(compact) {
	case 1:
		if n := digit(compact[0]); n > 0 {
			return Reply{Word: Choice, Number: n}
		}
	case 2:
		if n := digit(compact[1]); n > 0 && compact[0] >= 'A' && compact[0] <= 'Z' {
			return Reply{Word: Choice, Code: compact[:1], Number: n}
		}
	}
	// "A YES", "A: sí": a code and a plain answer.
	if code, rest, ok := strings.Cut(words, " "); ok && len(code) == 1 && code[0] >= 'A' && code[0] <= 'Z' {
		switch plainWords[rest] {
		case Yes:
			return Reply{Word: Choice, Code: code, Number: 1}
		case No:
			return Reply{Word: Choice, Code: code, Number: 2}
		}
	}
	return Reply{}
}

func digit(b byte) int {
	if b >= '1' && b <= '9' {
		return int(b - '0')
	}
	return 0
}

// foldWords brings a text to upper case without accents and punctuation, words with one space between. A text of more than
// 40 characters is no plain answer and comes back empty.
func foldWords(s string) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		r = unicode.ToUpper(r)
		if plain, ok := accents[r]; ok {
			r = plain
		}
		switch {
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return "" // another alphabet
		case r == '\'' || r == '’' || r == '\u0301':
		default:
			space = true
		}
		if b.Len() > 40 {
			return ""
		}
	}
	return b.String()
}

var accents = map[rune]rune{'Á': 'A', 'É': 'E', 'Í': 'I', 'Ó': 'O', 'Ú': 'U', 'Ü': 'U', 'Ñ': 'N'}
