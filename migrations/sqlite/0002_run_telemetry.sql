-- What operations see of a run. Both columns are deleted with the run.
-- The W3C traceparent of the call that started the run, so that the trace of the run is linked to it; NULL if the call was not
-- traced.
ALTER TABLE run ADD COLUMN trace_parent TEXT CHECK (length(trace_parent) <= 55);
-- Since when the run waits for a worker, by the clock of the database: its start, or its last return to the queue.
ALTER TABLE run ADD COLUMN queue_micros INTEGER;
