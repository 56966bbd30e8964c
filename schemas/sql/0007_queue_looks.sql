-- What claims and sweeps look for is rare among a person's leases: found without reading the rest.
CREATE INDEX lease_skipped ON lease (task_id) WHERE state = 'skipped';
CREATE INDEX lease_given_back ON lease (user_id, task_id) WHERE state IN ('expired', 'released', 'surplus');
