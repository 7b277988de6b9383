// RUN: lamina-opt %s -p te-divide-by-constants | filecheck %s

// CHECK-LABEL: @a_reciprocal_of_48_bits
// CHECK:         te.compute
// CHECK:         %[[H:.*]] = arith.constant 3.33333302 : f32
// CHECK-NEXT:    %[[L:.*]] = arith.constant 1.85436676e-07 : f32
// CHECK-NEXT:    %[[P:.*]] = arith.mulf %a, %[[L]] : f32
// CHECK-NEXT:    %[[Q:.*]] = math.fma %a, %[[H]], %[[P]] : f32
// CHECK-NEXT:    te.yield %[[Q]] : f32
func.func @a_reciprocal_of_48_bits(%x: memref<16xf32>, %y: memref<16xf32>) {
  te.compute axes(i: 16) ins(%x[i]) out(%y[i]) init 0.0 : f32 : memref<16xf32>, memref<16xf32> (%a: f32, %acc: f32) {
    %s = arith.constant 0.3 : f32
    %q = arith.divf %a, %s : f32
    te.yield %q : f32
  }
  func.return
}

// CHECK-LABEL: @a_power_of_two_needs_24
// CHECK:         %[[H:.*]] = arith.constant -4.000000e+00 : f32
// CHECK-NEXT:    arith.mulf %x, %[[H]] : f32
// CHECK-NEXT:    func.return
func.func @a_power_of_two_needs_24(%x: f32) -> f32 {
  %s = arith.constant -0.25 : f32
  %q = arith.divf %x, %s : f32
  func.return %q : f32
}

// CHECK-LABEL: @other_quotients_stay
// CHECK-COUNT-5: arith.divf
func.func @other_quotients_stay(%x: f32, %y: f32, %d: f64) -> (f32, f32, f32, f32, f64) {
  %zero = arith.constant 0.0 : f32
  %small = arith.constant 1.0e-39 : f32
  %large = arith.constant 3.0e37 : f32
  %three = arith.constant 3.0 : f64
  %a = arith.divf %x, %y : f32
  %b = arith.divf %x, %zero : f32
  %c = arith.divf %x, %small : f32
  %e = arith.divf %x, %large : f32
  %f = arith.divf %d, %three : f64
  func.return %a, %b, %c, %e, %f : f32, f32, f32, f32, f64
}
