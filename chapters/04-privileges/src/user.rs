//! Long tail: who `USER` or `--user` is: the container's own passwd and group files decide (passwd(5), group(5)).

/// A user with its groups and its home.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its further groups.
    pub groups: Vec<u32>,
    /// Its home; empty where the passwd file does not know it.
    pub home: String,
}

/// A name that the container's files do not have, or a number that nobody can have, in Docker's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName(String);

/// The largest number that Docker lets a user or a group have.
const LARGEST: i64 = i32::MAX as i64;

impl std::fmt::Display for UnknownName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UnknownName {}

struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: Vec<&'a str>,
}

/// Resolves `user`, `uid`, `user:group`, `uid:gid`, or nothing, which is root; `more` are groups besides (`--group-add`).
///
/// A number need not be in the files. A user's further groups are those that name it as a member, unless a group is given.
pub fn resolve(wanted: &str, more: &[String], passwd: &str, group: &str) -> Result<User, UnknownName> {
    let (accounts, groups): (Vec<_>, Vec<_>) = (accounts(passwd).collect(), self::groups(group).collect());
    let (user_part, group_part) = wanted.split_once(':').map_or((wanted, ""), |(user, group)| (user, group));
    let mut user = find_user(user_part, &accounts)?;
    let account = accounts.iter().find(|account| account.uid == user.uid);
    if !group_part.is_empty() {
        user.gid = find_group(group_part, &groups)?;
    } else if let Some(account) = account {
        let is_member = |group: &&Group| group.members.contains(&account.name);
        user.groups = groups.iter().filter(is_member).map(|group| group.gid).collect();
    }
    for name in more.iter() {
        user.groups.push(find_group(name, &groups)?);
    }
    // runc, and so Docker, gives a user's own group as a further one too.
    if !user.groups.contains(&user.gid) {
        user.groups.insert(0, user.gid);
    }
    Ok(user)
}

fn find_user(wanted: &str, accounts: &[Account]) -> Result<User, UnknownName> {
    let wanted = if wanted.is_empty() { "0" } else { wanted };
    let number: Option<i64> = wanted.parse().ok();
    let found = accounts.iter().find(|account| account.name == wanted || Some(account.uid.into()) == number);
    match (found, number) {
        (Some(account), _) => {
            Ok(User { uid: account.uid, gid: account.gid, groups: Vec::new(), home: account.home.into() })
        }
        (None, Some(uid)) => Ok(User { uid: in_range(uid)?, ..User::default() }),
        (None, None) => {
            Err(UnknownName(format!("unable to find user {wanted}: no matching entries in passwd file")))
        }
    }
}

fn in_range(number: i64) -> Result<u32, UnknownName> {
    let id = u32::try_from(number).ok().filter(|_| number <= LARGEST);
    id.ok_or_else(|| UnknownName(format!("uids and gids must be in range 0-{LARGEST}")))
}

fn find_group(wanted: &str, groups: &[Group]) -> Result<u32, UnknownName> {
    if let Some(group) = groups.iter().find(|group| group.name == wanted) {
        return Ok(group.gid);
    }
    match wanted.parse() {
        Ok(number) => in_range(number),
        Err(_) => {
            Err(UnknownName(format!("unable to find group {wanted}: no matching entries in group file")))
        }
    }
}

/// `name:password:uid:gid:comment:home:shell`
fn accounts(passwd: &str) -> impl Iterator<Item = Account<'_>> {
    passwd.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let number = |index: usize| fields.get(index)?.parse().ok();
        Some(Account {
            name: fields[0],
            uid: number(2)?,
            gid: number(3)?,
            home: fields.get(5).copied().unwrap_or_default(),
        })
    })
}

/// `name:password:gid:member,member`
fn groups(group: &str) -> impl Iterator<Item = Group<'_>> {
    group.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let members =
            fields.get(3).copied().unwrap_or_default().split(',').filter(|name| !name.is_empty()).collect();
        Some(Group { name: fields[0], gid: fields.get(2)?.parse().ok()?, members })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000:guest:/home/guest:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nguest:x:1000:\nstaff:x:50:guest\n";

    fn resolved(wanted: &str) -> User {
        resolve(wanted, &[], PASSWD, GROUP).unwrap()
    }

    fn user(uid: u32, gid: u32, groups: &[u32], home: &str) -> User {
        User { uid, gid, groups: groups.to_vec(), home: home.into() }
    }

    #[test]
    fn names_and_numbers() {
        assert_eq!(resolved(""), user(0, 0, &[0], "/root"));
        assert_eq!(resolved("guest"), user(1000, 1000, &[1000, 50], "/home/guest"));
        assert_eq!(resolved("1000:50"), user(1000, 50, &[50], "/home/guest"));
        assert_eq!(resolved("4242"), user(4242, 0, &[0], ""));
        assert_eq!(resolved("guest:staff"), user(1000, 50, &[50], "/home/guest"));
    }

    #[test]
    fn unknown_names_in_dockers_words() {
        let error = |wanted: &str| resolve(wanted, &[], PASSWD, GROUP).unwrap_err().to_string();
        assert_eq!(error("nosuch"), "unable to find user nosuch: no matching entries in passwd file");
        for number in ["-1", "2147483648", "4294967296", "guest:-1"] {
            assert_eq!(error(number), "uids and gids must be in range 0-2147483647", "{number}");
        }
        assert_eq!(error("guest:nosuch"), "unable to find group nosuch: no matching entries in group file");
    }
}
