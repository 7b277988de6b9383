// RUN: lamina-opt %s -p cancel-relayouts | filecheck %s

// CHECK-LABEL: func.func @there_and_back_is_nothing
// CHECK-NEXT:    graph.relu %x
func.func @there_and_back_is_nothing(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> {
  %p = graph.relayout %x : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
  %b = graph.relayout %p : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
  %y = graph.relu %b : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
}

// CHECK-LABEL: func.func @two_steps_become_one
// CHECK-NEXT:    %[[Y:.*]] = graph.relayout %x : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32, #graph.layout<NHWC>>
// CHECK-NEXT:    func.return %[[Y]]
func.func @two_steps_become_one(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x32x4x4xf32, #graph.layout<NHWC>> {
  %p = graph.relayout %x : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x4x4xf32>
  %y = graph.relayout %p : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32, #graph.layout<NHWC>>
  func.return %y : tensor<1x32x4x4xf32, #graph.layout<NHWC>>
}

// CHECK-LABEL: func.func @twins_are_made_once
// CHECK-NEXT:    %[[Y:.*]] = graph.relayout %x
// CHECK-NEXT:    func.return %[[Y]], %[[Y]]
func.func @twins_are_made_once(%x: tensor<1x32x4x4xf32>) -> (tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>, tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) {
  %a = graph.relayout %x : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
  %b = graph.relayout %x : tensor<1x32x4x4xf32> -> tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
  func.return %a, %b : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>, tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>
}

// CHECK-LABEL: func.func @mover_writes_what_is_needed
// CHECK-NEXT:    %[[Y:.*]] = graph.slice %x {{.*}} : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
// CHECK-NEXT:    func.return %[[Y]]
func.func @mover_writes_what_is_needed(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x20x4x4xf32> {
  %s = graph.slice %x starts [0, 3, 0, 0] steps [1, 1, 1, 1] : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>
  %y = graph.relayout %s : tensor<1x20x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x20x4x4xf32>
  func.return %y : tensor<1x20x4x4xf32>
}

// CHECK-LABEL: func.func @mover_reads_what_is_there
// CHECK-NEXT:    %[[Y:.*]] = graph.concat axis 1 %x, %p
// CHECK-NEXT:    func.return %[[Y]]
func.func @mover_reads_what_is_there(%x: tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>, %p: tensor<1x3x4x4xf32>) -> tensor<1x23x4x4xf32, #graph.layout<NCHW16c>> {
  %b = graph.relayout %p : tensor<1x3x4x4xf32> -> tensor<1x3x4x4xf32, #graph.layout<NCHW16c>>
  %y = graph.concat axis 1 %x, %b : (tensor<1x20x4x4xf32, #graph.layout<NCHW16c>>, tensor<1x3x4x4xf32, #graph.layout<NCHW16c>>) -> tensor<1x23x4x4xf32, #graph.layout<NCHW16c>>
  func.return %y : tensor<1x23x4x4xf32, #graph.layout<NCHW16c>>
}

// CHECK-LABEL: func.func @mover_with_another_reader_stays
// CHECK:         graph.relayout
func.func @mover_with_another_reader_stays(%x: tensor<1x32x4x4xf32, #graph.layout<NCHW16c>>) -> (tensor<1x32x3x4xf32>, tensor<1x32x3x4xf32, #graph.layout<NCHW16c>>) {
  %s = graph.slice %x starts [0, 0, 1, 0] steps [1, 1, 1, 1] : tensor<1x32x4x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x3x4xf32, #graph.layout<NCHW16c>>
  %y = graph.relayout %s : tensor<1x32x3x4xf32, #graph.layout<NCHW16c>> -> tensor<1x32x3x4xf32>
  func.return %y, %s : tensor<1x32x3x4xf32>, tensor<1x32x3x4xf32, #graph.layout<NCHW16c>>
}
