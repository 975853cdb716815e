import Testing

@testable import Systemd

@Suite("Base64")
struct Base64Tests {
    @Test(
        "what an encoder writes is read",
        arguments: [
            ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"), ("Zm9vYmFy", "foobar"),
            ("c29tZSAyMDAwMDAgMjAwMDAwMAA=", "some 200000 2000000\0"),
        ]
    )
    func decodes(text: String, expected: String) {
        #expect(Base64.decode(text) == Array(expected.utf8))
    }

    @Test("every byte is read, in every place")
    func bytes() {
        #expect(Base64.decode("////") == [255, 255, 255])
        #expect(Base64.decode("++//") == [0xFB, 0xEF, 0xFF])
        #expect(Base64.decode("AAECAw==") == [0, 1, 2, 3])
    }

    @Test(
        "what no encoder writes is refused",
        arguments: [
            "Z", "Zg", "Zg=", "Zm9", "=", "==", "===", "====", "Z===", "Zg==Zg==", "Zm=v", "Zm9v=",
            "Zm9v====",
            " Zm9v", "Zm9v\n", "Zm 9", "Zm-_", "Zm9\u{301}", "Zh==", "Zm9=", "Zm9vYmF*", "٢٢٢٢",
        ]
    )
    func refuses(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("random text is bytes of the right number, or nothing")
    func random() {
        var random = RandomText(seed: 2)
        var decoded = 0
        for _ in 0..<2_000 {
            let text = random.text(after: ["Zm9v"])
            guard let bytes = Base64.decode(text) else { continue }
            decoded += 1
            #expect(bytes.count <= text.utf8.count / 4 * 3 && bytes.count >= text.utf8.count / 4 * 3 - 2)
        }
        #expect(decoded > 0)
    }
}
