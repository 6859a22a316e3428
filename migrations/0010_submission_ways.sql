-- By which way an institution's submission files reach a bureau, as
-- configuration says; every change is an entry of the audit log.
CREATE TABLE submission_ways (
    bureau TEXT NOT NULL,
    institution TEXT NOT NULL,
    organization_code TEXT NOT NULL,
    -- exchange, https
    way TEXT NOT NULL,
    -- folders, mtls, tls, plain_in_vpn
    protection TEXT NOT NULL,
    -- key_file, key_command, component
    sealed_by TEXT NOT NULL,
    -- A way without TLS: why, who answers for it, and its last day.
    exception_reason TEXT,
    exception_owner TEXT,
    exception_until TEXT,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (bureau, institution)
);
