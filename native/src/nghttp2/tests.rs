use super::*;

/// Panics when a header comes, or when bytes are asked for.
struct Fragile {
    in_fill: bool,
    calls: u32,
}

impl Handler for Fragile {
    fn headers_begun(&mut self, _: &mut Actions<'_>, _: i32, _: bool) {}

    fn header(&mut self, _: &mut Actions<'_>, _: i32, _: &[u8], _: &[u8]) {
        self.calls += 1;
        assert!(self.in_fill, "no header, please");
    }

    fn headers_ended(&mut self, session: &mut Actions<'_>, id: i32, _: bool) {
        session.respond(id, &[Field::Fixed(b":status", b"200")], true).expect("submitted");
    }

    fn chunk(&mut self, _: &mut Actions<'_>, _: i32, _: &[u8]) {}
    fn data_ended(&mut self, _: &mut Actions<'_>, _: i32) {}
    fn control(&mut self, _: &mut Actions<'_>, _: Control<'_>) {}
    fn closed(&mut self, _: &mut Actions<'_>, _: i32, _: u32) {}
    fn ended(&mut self, _: &mut Actions<'_>, _: i32, _: bool) {}

    fn fill(&mut self, _: &mut Actions<'_>, _: i32, _: usize) -> Fill<'_> {
        self.calls += 1;
        panic!("no bytes, please")
    }
}

const SETTINGS: Settings = Settings {
    client: false,
    streams_max: 10,
    stream_window_bytes: 65_535,
    connection_window_bytes: 65_535,
    header_list_bytes_max: 65_535,
};

/// Preface, SETTINGS, and a request in fields of HPACK's static table.
const REQUEST: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\
    \0\0\x07\x01\x05\0\0\0\x01\x82\x86\x84\x41\x02ab";

#[test]
fn a_panic_while_reading_comes_back_as_a_fault() {
    let mut session = Session::server(&SETTINGS).expect("made");
    let mut handler = Fragile { in_fill: false, calls: 0 };
    let fault = session.receive(&mut handler, REQUEST).expect_err("panicked");
    assert_eq!(fault, Fault::Panic("internal fault: no header, please".to_owned()));
    assert_eq!(handler.calls, 1);
}

#[test]
fn a_panic_while_writing_comes_back_as_a_fault() {
    let mut session = Session::server(&SETTINGS).expect("made");
    let mut handler = Fragile { in_fill: true, calls: 0 };
    session.receive(&mut handler, REQUEST).expect("read");
    handler.calls = 0;
    let fault = session.send(&mut handler, &mut Vec::new(), usize::MAX).expect_err("panicked");
    assert_eq!(fault, Fault::Panic("internal fault: no bytes, please".to_owned()));
    assert_eq!(handler.calls, 1);
}
