//! Records that occur in several places: access control lists, identities, persisted stats
//! (ZooKeeper.md 1.2).

use super::jute::{DecodeError, Reader, Writer};
use crate::{
    id::Zxid,
    request::{Acl, AuthId, ErrorCode},
    tree::StatPersisted,
};
use std::sync::Arc;

/// The least that an ACL entry takes: permissions and two empty strings.
const SMALLEST_ACL: usize = 12;

/// The bytes of a [`StatPersisted`].
pub const STAT_PERSISTED_BYTES: usize = 60;

/// `vec<ACL>`. A null list, which ZooKeeper can read and never writes, is an empty one.
pub fn read_acls(r: &mut Reader<'_>) -> Result<Arc<[Acl]>, DecodeError> {
    let count = r.count("ACL", SMALLEST_ACL)?.unwrap_or(0);
    (0..count)
        .map(|_| {
            Ok(Acl {
                perms: r.i32("permissions of an ACL entry")?,
                scheme: r.text("scheme of an ACL entry")?,
                id: r.text("id of an ACL entry")?,
            })
        })
        .collect()
}

/// `vec<ACL>`.
pub fn write_acls(acls: &[Acl], out: &mut Vec<u8>) {
    out.put_len(acls.len());
    for acl in acls {
        out.put_i32(acl.perms);
        out.put_str(&acl.scheme);
        out.put_str(&acl.id);
    }
}

/// Id: scheme and id.
pub fn read_id(r: &mut Reader<'_>) -> Result<AuthId, DecodeError> {
    Ok(AuthId {
        scheme: r.text("scheme of an id")?,
        id: r.text("id")?,
    })
}

/// Id.
pub fn write_id(id: &AuthId, out: &mut Vec<u8>) {
    out.put_str(&id.scheme);
    out.put_str(&id.id);
}

/// An error code that ZooKeeper knows.
pub fn read_error(r: &mut Reader<'_>) -> Result<ErrorCode, DecodeError> {
    let at = r.at();
    let value = r.i32("error code")?;
    ErrorCode::from_code(value).ok_or(DecodeError::Unknown {
        what: "error code",
        at,
        value: value.into(),
    })
}

/// StatPersisted, 60 bytes.
pub fn read_stat_persisted(r: &mut Reader<'_>) -> Result<StatPersisted, DecodeError> {
    Ok(StatPersisted {
        czxid: Zxid(r.i64("czxid")?),
        mzxid: Zxid(r.i64("mzxid")?),
        ctime: r.i64("ctime")?,
        mtime: r.i64("mtime")?,
        version: r.i32("version")?,
        cversion: r.i32("cversion")?,
        aversion: r.i32("aversion")?,
        ephemeral_owner: r.i64("ephemeralOwner")?,
        pzxid: Zxid(r.i64("pzxid")?),
    })
}

/// StatPersisted, 60 bytes.
pub fn write_stat_persisted(stat: &StatPersisted, out: &mut Vec<u8>) {
    out.put_i64(stat.czxid.0);
    out.put_i64(stat.mzxid.0);
    out.put_i64(stat.ctime);
    out.put_i64(stat.mtime);
    out.put_i32(stat.version);
    out.put_i32(stat.cversion);
    out.put_i32(stat.aversion);
    out.put_i64(stat.ephemeral_owner);
    out.put_i64(stat.pzxid.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::perms;

    #[test]
    fn a_null_acl_is_an_empty_one() {
        let bytes = (-1i32).to_be_bytes();
        let acls = read_acls(&mut Reader::new(&bytes, 100)).expect("readable");
        assert!(acls.is_empty());
    }

    #[test]
    fn records_come_back() {
        let acls: Arc<[Acl]> = Arc::from([
            Acl {
                perms: perms::ALL,
                scheme: "world".into(),
                id: "anyone".into(),
            },
            Acl {
                perms: -1,
                scheme: "".into(),
                id: "é".into(),
            },
        ]);
        let id = AuthId {
            scheme: "ip".into(),
            id: "127.0.0.1".into(),
        };
        let stat = StatPersisted {
            czxid: Zxid(1),
            mzxid: Zxid(2),
            ctime: 3,
            mtime: 4,
            version: 5,
            cversion: 6,
            aversion: -1,
            ephemeral_owner: i64::MIN,
            pzxid: Zxid(9),
        };
        let mut bytes = Vec::new();
        write_acls(&acls, &mut bytes);
        write_id(&id, &mut bytes);
        let before = bytes.len();
        write_stat_persisted(&stat, &mut bytes);
        assert_eq!(bytes.len() - before, STAT_PERSISTED_BYTES);
        let mut r = Reader::new(&bytes, 100);
        assert_eq!(read_acls(&mut r), Ok(acls));
        assert_eq!(read_id(&mut r), Ok(id));
        assert_eq!(read_stat_persisted(&mut r), Ok(stat));
        assert_eq!(r.finish("records"), Ok(()));
    }

    #[test]
    fn an_acl_of_more_entries_than_bytes_is_refused_before_it_costs_anything() {
        let mut bytes = Vec::new();
        bytes.put_i32(i32::MAX);
        bytes.extend_from_slice(&[0; 24]);
        assert!(matches!(
            read_acls(&mut Reader::new(&bytes, 100)),
            Err(DecodeError::Length { limit: 2, .. })
        ));
    }

    #[test]
    fn every_error_code_is_known_by_its_number() {
        for code in -200..=0 {
            if let Some(error) = ErrorCode::from_code(code) {
                assert_eq!(error.code(), code);
            }
        }
        let known = (-200..=0).filter_map(ErrorCode::from_code).count();
        assert_eq!(known, 32, "as many as ZooKeeper.md 1.10 lists");
        assert!(matches!(
            read_error(&mut Reader::new(&(-9i32).to_be_bytes(), 9)),
            Err(DecodeError::Unknown { value: -9, .. })
        ));
    }
}
