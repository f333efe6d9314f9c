//! What a search asks for: an area, an order, a number, what to reply or where to store it.
//!
//! GEORADIUS and its relatives begin with the area and go on with options; for GEOSEARCH the area is an option. A member to
//! search around is looked up while the options are read, as in Redis, so that whether it is there comes before what is
//! wrong behind it; without a key nothing is looked up, and the rest is only checked.

use ochre_types::zset::ZSet;
use ochre_types::{Area, DistanceUnit, Position, Shape, parse_f64};

use super::next_position;
use crate::call::{Args, Cursor};
use crate::error::{Error, SYNTAX};

/// How a command writes what it asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Longitude, latitude and radius, then options.
    Radius {
        /// STORE and STOREDIST are options.
        stores: bool,
    },
    /// A member and a radius, then options.
    RadiusByMember {
        /// As above.
        stores: bool,
    },
    /// Options only.
    Search,
    /// Options only, behind the key to store in.
    SearchAndStore,
}

impl Form {
    fn searches(self) -> bool {
        matches!(self, Form::Search | Form::SearchAndStore)
    }

    fn may_store(self) -> bool {
        matches!(self, Form::Radius { stores: true } | Form::RadiusByMember { stores: true })
    }

    /// Where the key with the places is.
    pub(super) fn source_at(self) -> usize {
        if self == Form::SearchAndStore { 2 } else { 1 }
    }
}

/// The order of results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Order {
    /// From the nearest to the farthest.
    Nearest,
    /// From the farthest to the nearest.
    Farthest,
}

/// A search.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    form: Form,
    centre: Option<Centre>,
    area: Option<(Area, DistanceUnit)>,
    polygon: Option<Shape>,
    /// The order, if it matters.
    pub(super) order: Option<Order>,
    /// The number of results at most.
    pub(super) count: Option<usize>,
    /// Whether any results will do, not just the nearest.
    pub(super) any: bool,
    /// Whether distances are replied.
    pub(super) with_distances: bool,
    /// Whether scores are replied.
    pub(super) with_scores: bool,
    /// Whether positions are replied.
    pub(super) with_positions: bool,
    /// The key to store results in.
    pub(super) destination: Option<&'a [u8]>,
    /// Whether distances are stored as scores.
    pub(super) stores_distances: bool,
}

/// What is searched around.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Centre {
    Place(Position),
    Member(Position),
    /// There is no key in which to look for the member.
    MemberOfNothing,
}

/// A distance's unit.
///
/// # Errors
/// It is none.
pub(super) fn unit(arg: &[u8]) -> Result<DistanceUnit, Error> {
    DistanceUnit::from_name(arg).ok_or(Error::new("ERR unsupported unit provided. please use M, KM, FT, MI"))
}

fn radius(cursor: &mut Cursor<'_>) -> Result<(Area, DistanceUnit), Error> {
    let radius = parse_f64(cursor.next_arg()?).ok_or(Error::new("ERR need numeric radius"))?;
    if radius < 0.0 {
        return Err(Error::new("ERR radius cannot be negative"));
    }
    Ok((Area::Radius(radius), unit(cursor.next_arg()?)?))
}

fn width_and_height(cursor: &mut Cursor<'_>) -> Result<(Area, DistanceUnit), Error> {
    let width = parse_f64(cursor.next_arg()?).ok_or(Error::new("ERR need numeric width"))?;
    let height = parse_f64(cursor.next_arg()?).ok_or(Error::new("ERR need numeric height"))?;
    if width < 0.0 || height < 0.0 {
        return Err(Error::new("ERR height or width cannot be negative"));
    }
    Ok((Area::Box { width, height }, unit(cursor.next_arg()?)?))
}

fn polygon(cursor: &mut Cursor<'_>) -> Result<Shape, Error> {
    let invalid = Error::new("ERR invalid number of vertices");
    let number = ochre_types::parse_i64(cursor.next_arg()?).ok_or(invalid.clone())?;
    let number = i32::try_from(number).map_err(|_| invalid)?;
    if number < 3 || number as usize > cursor.left() / 2 {
        return Err(Error::new("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"));
    }
    let corners = (0..number).map(|_| next_position(cursor));
    Ok(Shape::polygon(corners.collect::<Result<_, _>>()?))
}

fn member(arg: &[u8], zset: Option<&ZSet>) -> Result<Centre, Error> {
    let Some(zset) = zset else { return Ok(Centre::MemberOfNothing) };
    let score = zset.score(arg).ok_or(Error::new("ERR could not decode requested zset member"))?;
    Ok(Centre::Member(Position::of_score(score)))
}

impl<'a> Request<'a> {
    /// Reads a request about the places of a sorted set.
    ///
    /// # Errors
    /// What Redis answers to what is wrong first.
    pub(super) fn parse(args: Args<'a>, form: Form, zset: Option<&ZSet>) -> Result<Request<'a>, Error> {
        let mut cursor = args.cursor(form.source_at() + 1);
        let mut request = Request::new(form);
        if form == Form::SearchAndStore {
            request.destination = args.get(1);
        }
        request.parse_area(&mut cursor, zset)?;
        while !cursor.is_at_end() {
            if !request.parse_word(&mut cursor) && !request.parse_option(&mut cursor, zset)? {
                return Err(SYNTAX);
            }
        }
        request.check(args.at(0))?;
        Ok(request)
    }

    fn new(form: Form) -> Request<'a> {
        Request {
            form,
            centre: None,
            area: None,
            polygon: None,
            order: None,
            count: None,
            any: false,
            with_distances: false,
            with_scores: false,
            with_positions: false,
            destination: None,
            stores_distances: false,
        }
    }

    /// What comes before the options.
    fn parse_area(&mut self, cursor: &mut Cursor<'a>, zset: Option<&ZSet>) -> Result<(), Error> {
        match self.form {
            Form::Radius { .. } => {
                self.centre = Some(Centre::Place(next_position(cursor)?));
                self.area = Some(radius(cursor)?);
            }
            Form::RadiusByMember { .. } if zset.is_none() => cursor.skip(3),
            Form::RadiusByMember { .. } => {
                self.centre = Some(member(cursor.next_arg()?, zset)?);
                self.area = Some(radius(cursor)?);
            }
            Form::Search | Form::SearchAndStore => {}
        }
        Ok(())
    }

    /// Goes past an option of one word.
    fn parse_word(&mut self, cursor: &mut Cursor<'a>) -> bool {
        if cursor.eat("ASC") {
            self.order = Some(Order::Nearest);
        } else if cursor.eat("DESC") {
            self.order = Some(Order::Farthest);
        } else if cursor.eat("WITHDIST") {
            self.with_distances = true;
        } else if cursor.eat("WITHHASH") {
            self.with_scores = true;
        } else if cursor.eat("WITHCOORD") {
            self.with_positions = true;
        } else if cursor.eat("ANY") {
            self.any = true;
        } else if self.form == Form::SearchAndStore && cursor.eat("STOREDIST") {
            self.stores_distances = true;
        } else {
            return false;
        }
        true
    }

    /// Goes past an option with values.
    fn parse_option(&mut self, cursor: &mut Cursor<'a>, zset: Option<&ZSet>) -> Result<bool, Error> {
        if cursor.eat_with_value("COUNT") {
            self.count = Some(count(cursor)?);
        } else if self.form.may_store() && cursor.eat_with_value("STORE") {
            (self.destination, self.stores_distances) = (Some(cursor.next_arg()?), false);
        } else if self.form.may_store() && cursor.eat_with_value("STOREDIST") {
            (self.destination, self.stores_distances) = (Some(cursor.next_arg()?), true);
        } else if self.form.searches() {
            return self.parse_search(cursor, zset);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Goes past an option that says what is searched. A centre or an area of another kind than before is none.
    fn parse_search(&mut self, cursor: &mut Cursor<'a>, zset: Option<&ZSet>) -> Result<bool, Error> {
        let (has_place, has_member) = (matches!(self.centre, Some(Centre::Place(_))), self.centre.is_some());
        let has_member = has_member && !has_place;
        let has_radius = matches!(self.area, Some((Area::Radius(_), _)));
        let has_box = self.area.is_some() && !has_radius;
        let has_polygon = self.polygon.is_some();
        let takes = |cursor: &mut Cursor<'_>, values: usize, word| cursor.left() > values && cursor.eat(word);
        if !has_place && !has_polygon && takes(cursor, 1, "FROMMEMBER") {
            self.centre = Some(member(cursor.next_arg()?, zset)?);
        } else if !has_member && !has_polygon && takes(cursor, 2, "FROMLONLAT") {
            self.centre = Some(Centre::Place(next_position(cursor)?));
        } else if !has_box && !has_polygon && takes(cursor, 2, "BYRADIUS") {
            self.area = Some(radius(cursor)?);
        } else if !has_radius && !has_polygon && takes(cursor, 3, "BYBOX") {
            self.area = Some(width_and_height(cursor)?);
        } else if self.area.is_none() && self.centre.is_none() && takes(cursor, 2, "BYPOLYGON") {
            self.polygon = Some(polygon(cursor)?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn check(&self, name: &[u8]) -> Result<(), Error> {
        if self.destination.is_some() && (self.with_distances || self.with_scores || self.with_positions) {
            let searches =
                "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
            let others = "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
            return Err(Error::new(if self.form.searches() { searches } else { others }));
        }
        if self.form.searches() && self.polygon.is_none() {
            if self.centre.is_none() {
                let text = "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ";
                return Err(Error::quoting(text, name, ""));
            }
            if self.area.is_none() {
                let text = "ERR exactly one of BYRADIUS and BYBOX can be specified for ";
                return Err(Error::quoting(text, name, ""));
            }
        }
        if self.any && self.count.is_none() {
            return Err(Error::new("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// The same without the arguments, for later; what is stored is not said.
    pub(super) fn detached(&self) -> Request<'static> {
        Request {
            area: self.area.clone(),
            polygon: self.polygon.clone(),
            centre: self.centre,
            order: self.order,
            count: self.count,
            any: self.any,
            with_distances: self.with_distances,
            with_scores: self.with_scores,
            with_positions: self.with_positions,
            stores_distances: self.stores_distances,
            ..Request::new(self.form)
        }
    }

    /// What is searched; `None` if there is nothing to be searched.
    pub(super) fn shape(&self) -> Option<Shape> {
        if self.polygon.is_some() {
            return self.polygon.clone();
        }
        let (area, unit) = self.area.clone()?;
        match self.centre? {
            Centre::Place(centre) | Centre::Member(centre) => Some(Shape { area, centre, unit }),
            Centre::MemberOfNothing => None,
        }
    }
}

fn count(cursor: &mut Cursor<'_>) -> Result<usize, Error> {
    match cursor.next_i64()? {
        count if count > 0 => Ok(count as usize),
        _ => Err(Error::new("ERR COUNT must be > 0")),
    }
}
