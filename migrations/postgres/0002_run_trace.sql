-- The W3C traceparent of the call that started the run, so that the trace of the run is linked to it; NULL if the call was not
-- traced. It is deleted with the run.
ALTER TABLE run ADD COLUMN trace_parent TEXT CHECK (length(trace_parent) <= 55);
