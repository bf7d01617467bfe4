package fhir

// OperationOutcome is how FHIR says what went wrong (hl7.org/fhir/R4/operationoutcome.html).
type OperationOutcome struct {
	ResourceType string  `json:"resourceType"`
	Issue        []Issue `json:"issue"`
}

// Issue is one thing that went wrong. Diagnostics holds no patient data.
type Issue struct {
	Severity    string   `json:"severity"` // fatal | error | warning | information
	Code        string   `json:"code"`     // invalid | structure | not-found | conflict | …
	Diagnostics string   `json:"diagnostics,omitempty"`
	Expression  []string `json:"expression,omitempty"`
}

// Outcome makes an OperationOutcome of one issue.
func Outcome(severity, code, diagnostics string) *OperationOutcome {
	return &OperationOutcome{ResourceType: "OperationOutcome", Issue: []Issue{{Severity: severity, Code: code, Diagnostics: diagnostics}}}
}
