package fhirapi

import (
	"sync"

	"doorstep/internal/fhir"
)

// capability is the CapabilityStatement (hl7.org/fhir/R4/capabilitystatement.html), made from the table that searches are
// read with: it cannot promise another parameter than those.
var capability = sync.OnceValue(func() map[string]any {
	codes := func(list ...string) (out []map[string]string) {
		for _, c := range list {
			out = append(out, map[string]string{"code": c})
		}
		return out
	}
	interactions := codes("read", "vread", "update", "delete", "history-instance", "history-type", "create", "search-type")
	var resources []map[string]any
	for _, typ := range fhir.Types() {
		params := []map[string]string{{"name": "_id", "type": "token"}, {"name": "_lastUpdated", "type": "date"}}
		var includes []string
		for _, p := range fhir.Params(typ) {
			params = append(params, map[string]string{"name": p.Code, "type": string(p.Kind)})
			if p.Kind == fhir.KindReference {
				includes = append(includes, typ+":"+p.Code)
			}
		}
		r := map[string]any{
			"type": typ, "interaction": interactions, "versioning": "versioned-update", "readHistory": true, "updateCreate": true,
			"conditionalCreate": true, "conditionalRead": "not-supported", "conditionalUpdate": true, "conditionalDelete": "not-supported",
			"referencePolicy": []string{"literal", "logical"}, "searchParam": params,
		}
		if includes != nil {
			r["searchInclude"] = includes
		}
		resources = append(resources, r)
	}
	return map[string]any{
		"resourceType": "CapabilityStatement", "status": "active", "date": "2026-11-22", "kind": "instance",
		"software": map[string]string{"name": "Doorstep"}, "implementation": map[string]string{"description": "Doorstep"},
		"fhirVersion": "4.0.1", "format": []string{"application/fhir+json", "json"},
		"rest": []map[string]any{{
			"mode": "server", "resource": resources, "interaction": codes("transaction", "batch"),
			"security": map[string]any{"description": "Bearer tokens; a patient's token sees what belongs to the patient and the directory."},
		}},
	}
})
