module hstreamdb

go 1.24
