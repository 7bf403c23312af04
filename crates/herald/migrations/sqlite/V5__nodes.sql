-- Ownership. Who holds which lease is in memory here, since the lock on the folder proves that there is one node; the epochs are
-- kept, so that what was written before a restart is known from what comes after it.

-- The epoch of the last owner: whoever writes with an earlier one is refused.
ALTER TABLE lane ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
-- 0 a callback, 1 evidence: what a node learnt that no longer owns the lane, or that could not be written.
ALTER TABLE inbox ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;
-- Not later than the claim: evidence of an earlier moment is about an earlier try.
ALTER TABLE checking ADD COLUMN claimed_at INTEGER NOT NULL DEFAULT 0;
