package wire

import "testing"

func TestMessages(t *testing.T) {
	a, b := Addr{"localhost", 7001}, Addr{"10.0.0.2", 80}
	tests := []struct {
		m         Message
		wire, log string
	}{
		{Message{LocalChunks, 5, "", []Addr{a}}, "LOCAL_CHUNKS,5,localhost,7001", "LOCAL_CHUNKS,5,localhost,7001"},
		{Message{WhereChunk, 5, "", nil}, "WHERE_CHUNK,5", "WHERE_CHUNK,5"},
		{Message{GetChunkFrom, 5, "", []Addr{a, b}}, "GET_CHUNK_FROM,5,localhost,7001,10.0.0.2,80",
			"GET_CHUNK_FROM,5,localhost,7001,10.0.0.2,80"},
		{Message{LocationUnknown, 5, "", nil}, "CHUNK_LOCATION_UNKNOWN,5", "CHUNK_LOCATION_UNKNOWN,5"},
		// The one message whose line says more than it does.
		{Message{RequestChunk, 5, "", []Addr{a}}, "REQUEST_CHUNK,5", "REQUEST_CHUNK,5,localhost,7001"},
		{Message{RequestChunk, 5, "", nil}, "REQUEST_CHUNK,5", "REQUEST_CHUNK,5"},
		{Message{LocalChunks, 5, sha1, []Addr{a}}, "LOCAL_CHUNKS,5," + sha1 + ",localhost,7001", "LOCAL_CHUNKS,5," + sha1 + ",localhost,7001"},
		{Message{GetChunkFrom, 5, sha1, []Addr{b}}, "GET_CHUNK_FROM,5," + sha1 + ",10.0.0.2,80", "GET_CHUNK_FROM,5," + sha1 + ",10.0.0.2,80"},
		// This machine is localhost in the log, and as it was registered on the wire.
		{Message{LocalChunks, 1, "", []Addr{{"127.0.0.1", 7001}}}, "LOCAL_CHUNKS,1,127.0.0.1,7001", "LOCAL_CHUNKS,1,localhost,7001"},
		{Message{GetChunkFrom, 1, "", []Addr{{"::1", 1}, {"[::1]", 2}, {"127.9.9.9", 3}, {"LOCALHOST", 4}, {"::ffff:127.0.0.1", 5}, {"::2", 6}}},
			"GET_CHUNK_FROM,1,::1,1,[::1],2,127.9.9.9,3,LOCALHOST,4,::ffff:127.0.0.1,5,::2,6",
			"GET_CHUNK_FROM,1,localhost,1,localhost,2,localhost,3,localhost,4,localhost,5,::2,6"},
	}
	for _, tt := range tests {
		if got := string(tt.m.Append([]byte("x"))); got != "x"+tt.wire {
			t.Errorf("on the wire %q, want %q", got[1:], tt.wire)
		}
		before := string(tt.m.appendAll(nil))
		if got := tt.m.LogLine("client_1"); got != "client_1,"+tt.log {
			t.Errorf("logged %q, want %q", got, tt.log)
		}
		if string(tt.m.appendAll(nil)) != before {
			t.Errorf("logging %q has changed it", before)
		}
	}
}
