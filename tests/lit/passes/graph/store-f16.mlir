// RUN: lamina-opt %s -p store-f16 --split-input-file | filecheck %s
// RUN: not lamina-opt %s -p 'store-f16{target="cpu:nehalem"}' --split-input-file 2>&1 | filecheck %s --check-prefix=OLD

// OLD: store-f16: floats are stored in 16 bits on CPUs with AVX2 (F16C), found cpu:nehalem; store them in 32

// Factors of sums are halves, a bias is not; neither are inputs and outputs.
// CHECK-LABEL: func.func @what_kernels_hand_on(
// CHECK-SAME:    %x: memref<4xf32> {lamina.input = "x"}, %y: memref<6xf32> {lamina.output = "y"}, %w: memref<4x6xf16> {lamina.weight = "{{[0-9a-f]+}}"}, %b: memref<6xf32> {lamina.weight = "b"}
// CHECK-NEXT:    %t = memref.alloc() : memref<6xf16>
// CHECK-NEXT:    %n = memref.alloc() : memref<6xi32>
// CHECK-NEXT:    func.call @dense(%x, %w, %b, %t) : (memref<4xf32>, memref<4x6xf16>, memref<6xf32>, memref<6xf16>) -> ()
// CHECK-NEXT:    func.call @negate(%t, %y) : (memref<6xf16>, memref<6xf32>) -> ()
// CHECK:       func.func private @dense(%x: memref<4xf32>, %w: memref<4x6xf16>, %b: memref<6xf32>, %y: memref<6xf16>)
// CHECK:         (%a: f32, %c: f32, %acc: f32) {
// CHECK:       func.func private @negate(%x: memref<6xf16>, %y: memref<6xf32>)
func.func @what_kernels_hand_on(%x: memref<4xf32> {lamina.input = "x"}, %y: memref<6xf32> {lamina.output = "y"}, %w: memref<4x6xf32> {lamina.weight = "w"}, %b: memref<6xf32> {lamina.weight = "b"}) {
  %t = memref.alloc() : memref<6xf32>
  %n = memref.alloc() : memref<6xi32>
  func.call @dense(%x, %w, %b, %t) : (memref<4xf32>, memref<4x6xf32>, memref<6xf32>, memref<6xf32>) -> ()
  func.call @negate(%t, %y) : (memref<6xf32>, memref<6xf32>) -> ()
  func.return
}
func.func private @dense(%x: memref<4xf32>, %w: memref<4x6xf32>, %b: memref<6xf32>, %y: memref<6xf32>) {
  te.compute axes(o: 6, reduce i: 4) ins(%x[i], %w[i, o]) extras(%b[o]) out(%y[o]) init 0.0 : f32
  : memref<4xf32>, memref<4x6xf32>, memref<6xf32>, memref<6xf32> (%a: f32, %c: f32, %acc: f32) {
    %s = math.fma %a, %c, %acc : f32
    te.yield %s : f32
  } epilogue (%v: f32, %d: f32) {
    %r = arith.addf %v, %d : f32
    te.yield %r : f32
  }
  func.return
}
func.func private @negate(%x: memref<6xf32>, %y: memref<6xf32>) {
  te.compute axes(i: 6) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<6xf32>, memref<6xf32> (%a: f32, %acc: f32) {
    %n = arith.negf %a : f32
    te.yield %n : f32
  }
  func.return
}

// -----

// A kernel that is given other types elsewhere is several.
// CHECK-LABEL: func.func @kernels_by_types(
// CHECK:         func.call @negate(%x, %s) : (memref<6xf32>, memref<6xf16>) -> ()
// CHECK-NEXT:    func.call @negate_2(%s, %t) : (memref<6xf16>, memref<6xf16>) -> ()
// CHECK-NEXT:    func.call @negate_3(%t, %y) : (memref<6xf16>, memref<6xf32>) -> ()
// CHECK:       func.func private @negate(%x: memref<6xf32>, %y: memref<6xf16>)
// CHECK:       func.func private @negate_3(%x: memref<6xf16>, %y: memref<6xf32>)
// CHECK:       func.func private @negate_2(%x: memref<6xf16>, %y: memref<6xf16>)
func.func @kernels_by_types(%x: memref<6xf32> {lamina.input = "x"}, %y: memref<6xf32> {lamina.output = "y"}) {
  %s = memref.alloc() : memref<6xf32>
  %t = memref.alloc() : memref<6xf32>
  func.call @negate(%x, %s) : (memref<6xf32>, memref<6xf32>) -> ()
  func.call @negate(%s, %t) : (memref<6xf32>, memref<6xf32>) -> ()
  func.call @negate(%t, %y) : (memref<6xf32>, memref<6xf32>) -> ()
  func.return
}
func.func private @negate(%x: memref<6xf32>, %y: memref<6xf32>) {
  te.compute axes(i: 6) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<6xf32>, memref<6xf32> (%a: f32, %acc: f32) {
    %n = arith.negf %a : f32
    te.yield %n : f32
  }
  func.return
}
func.func private @negate_1(%x: memref<6xf32>) {
  func.return
}

// -----

// Parts of a buffer have its elements; what else is done to one is not known, so it stays as it is.
// CHECK-LABEL: func.func @parts_and_others(
// CHECK:         %t = memref.alloc() : memref<2x6xf16>
// CHECK-NEXT:    %u = memref.subview %t[1, 0] [1, 6] [1, 1] : memref<2x6xf16> to memref<1x6xf16>
// CHECK-NEXT:    %v = memref.reinterpret_cast %u to offset: [0], sizes: [6], strides: [1] : memref<1x6xf16> to memref<6xf16>
// CHECK-NEXT:    %w = memref.alloc() : memref<6xf32>
// CHECK-NEXT:    func.call @negate(%v, %w) : (memref<6xf16>, memref<6xf32>) -> ()
// CHECK-NEXT:    "memref.copy"(%w, %y)
func.func @parts_and_others(%x: memref<6xf32> {lamina.input = "x"}, %y: memref<6xf32> {lamina.output = "y"}) {
  %t = memref.alloc() : memref<2x6xf32>
  %u = memref.subview %t[1, 0] [1, 6] [1, 1] : memref<2x6xf32> to memref<1x6xf32>
  %v = memref.reinterpret_cast %u to offset: [0], sizes: [6], strides: [1] : memref<1x6xf32> to memref<6xf32>
  %w = memref.alloc() : memref<6xf32>
  func.call @negate(%v, %w) : (memref<6xf32>, memref<6xf32>) -> ()
  "memref.copy"(%w, %y) : (memref<6xf32>, memref<6xf32>) -> ()
  func.return
}
func.func private @negate(%x: memref<6xf32>, %y: memref<6xf32>) {
  te.compute axes(i: 6) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<6xf32>, memref<6xf32> (%a: f32, %acc: f32) {
    %n = arith.negf %a : f32
    te.yield %n : f32
  }
  func.return
}
