package apple

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"doorstep/internal/reading/sample"
)

func BenchmarkRead(b *testing.B) {
	var file bytes.Buffer
	file.WriteString(head)
	for i := range 50_000 {
		fmt.Fprintf(&file, ` <Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Apple Watch" sourceVersion="9.1" device="&lt;&lt;HKDevice: 0x282a45810&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,4, software:9.1&gt;" unit="count/min" creationDate="2023-03-14 %02d:%02d:%02d +0100" startDate="2023-03-14 %02d:%02d:%02d +0100" endDate="2023-03-14 %02d:%02d:%02d +0100" value="%d">
  <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="0"/>
 </Record>
`, i/3600, i/60%60, i%60, i/3600, i/60%60, i%60, i/3600, i/60%60, i%60, 60+i%40)
	}
	file.WriteString("</HealthData>\n")
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range Read(io.MultiReader(bytes.NewReader(file.Bytes())), sample.Options{}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
